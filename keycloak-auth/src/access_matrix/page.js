"use strict";
const box = document.getElementById("filter");
const count = document.getElementById("count");
const rows = Array.from(document.querySelectorAll("tbody tr"));
const text = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
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
