"use strict";
const box = document.getElementById("filter");
const count = document.getElementById("count");
const names = Array.from(document.querySelectorAll("thead .name"), (heading) => heading.textContent);
const rows = Array.from(document.querySelectorAll("tbody tr"));
// A row is found by what stands in it, and by the names of those who may call it.
const text = new Map(rows.map((row) => {
  const words = Array.from(row.querySelectorAll(".method, .path, .policy, .handler"), (cell) => cell.textContent);
  row.querySelectorAll("td.allow, td.depends, td.reported, td.deny").forEach((cell, index) => {
    if (!cell.classList.contains("deny")) words.push(names[index]);
  });
  return [row, words.join("\n").toLowerCase()];
}));
function show() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    row.hidden = !words.every((word) => text.get(row).includes(word));
    if (!row.hidden) shown += 1;
  }
  count.textContent = shown + " of " + rows.length + " routes";
}
box.addEventListener("input", show);
show();
