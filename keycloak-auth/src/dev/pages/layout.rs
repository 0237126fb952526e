//! What all pages have in common.

use crate::{dev::model::Model, text::escaped_html};

/// Contrast of at least 4.5 to 1 in both colour schemes (WCAG 2.2 §1.4.3).
const STYLE: &str = "
:root { color-scheme: light dark; --page: #f3f5f8; --card: #fff; --text: #1b1f24; --quiet: #57606a; --line: #8c959f;
  --accent: #0b5cad; --on-accent: #fff; --error: #b3261e; --error-page: #fdecea; --badge: #7a4a00; --badge-page: #fff2d6; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171c; --card: #1f242b; --text: #eef1f5; --quiet: #a9b4c0; --line: #6e7a87; --accent: #7ab8ff;
    --on-accent: #0b1b2c; --error: #ffb4ab; --error-page: #43201d; --badge: #ffd58a; --badge-page: #3d2f12; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem 1rem; background: var(--page);
  color: var(--text); font: 1rem/1.5 system-ui, -apple-system, \"Segoe UI\", Roboto, sans-serif; }
.card { width: 100%; max-width: 26rem; }
header { display: flex; align-items: center; justify-content: space-between; gap: .75rem; margin: 0 .25rem .75rem; }
.realm { font-weight: 600; overflow-wrap: anywhere; }
.badge { font-size: .75rem; font-weight: 600; padding: .15rem .6rem; border-radius: 1rem; color: var(--badge);
  background: var(--badge-page); }
main { background: var(--card); border-radius: .75rem; padding: 2rem;
  box-shadow: 0 1px 2px rgb(0 0 0 / .12), 0 8px 24px rgb(0 0 0 / .08); }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1.25rem; }
label { display: block; font-weight: 600; font-size: .9rem; margin: 1rem 0 .35rem; }
input { width: 100%; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: .4rem; padding: .6rem .75rem; }
input[aria-invalid] { border-color: var(--error); }
button { width: 100%; font: inherit; font-weight: 600; margin-top: 1.5rem; padding: .7rem 1rem; border: 0;
  border-radius: .4rem; color: var(--on-accent); background: var(--accent); cursor: pointer; }
button:hover { filter: brightness(1.1); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.error { display: block; padding: .6rem .75rem; border-radius: .4rem; color: var(--error); background: var(--error-page); }
.instruction { margin: 0; }
details { margin-top: 1.5rem; color: var(--quiet); font-size: .9rem; }
summary { cursor: pointer; }
table { width: 100%; border-collapse: collapse; margin-top: .5rem; }
th, td { text-align: left; padding: .3rem .5rem .3rem 0; border-bottom: 1px solid var(--page); overflow-wrap: anywhere; }
td { font-family: ui-monospace, SFMono-Regular, Menlo, monospace; color: var(--text); }
footer { margin: .75rem .25rem 0; color: var(--quiet); font-size: .8rem; }
";

/// A whole page. `title` and `heading` are texts, `body` is HTML.
pub(super) fn layout(model: &Model, title: &str, heading: &str, body: &str) -> String {
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<div class="card">
<header id="kc-header">
<span class="realm">{realm}</span>
<span class="badge">Development</span>
</header>
<main>
<h1 id="kc-page-title">{heading}</h1>
{body}
</main>
<footer>An embedded realm for development. It stands for a Keycloak, and is none.</footer>
</div>
</body>
</html>
"#,
        title = escaped_html(title),
        realm = escaped_html(&model.display_name),
        heading = escaped_html(heading),
    )
}
