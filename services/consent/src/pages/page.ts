import { createHash } from 'node:crypto';

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6676;--line:#d5dbe3;--accent:#0b6e4f;--on-accent:#fff;--alarm:#b3261e;--field:#7b8794;--ground:#f6f7f9;--card:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#a3afbf;--line:#38424f;--accent:#4cc38a;--on-accent:#06281b;--alarm:#f2938c;--field:#8592a3;--ground:#12161c;--card:#1a2029}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:17px/1.55 system-ui,sans-serif}
main{max-width:34rem;margin:6vh auto;padding:clamp(1.1rem,5vw,2rem);overflow-wrap:anywhere;background:var(--card);border:1px solid var(--line);border-radius:14px}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}p{margin:0 0 1rem;white-space:pre-line}
label{display:block;margin:0 0 1rem}label>span{display:block;margin-bottom:.3rem;font-weight:600}
input[type=tel],input[type=text]{width:100%;padding:.7rem .8rem;border:1px solid var(--field);border-radius:8px;font:inherit;background:transparent;color:inherit}
label.box{display:flex;gap:.7rem;align-items:flex-start}label.box input{margin-top:.35rem;width:1.1rem;height:1.1rem;flex:none;accent-color:var(--accent)}label.box>span{font-weight:400}
button{padding:.75rem 1.3rem;border:0;border-radius:8px;background:var(--accent);color:var(--on-accent);font:inherit;font-weight:600;cursor:pointer}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}small{color:var(--soft);display:block;margin-top:1.2rem}
label>span.hint{margin-top:.3rem;font-size:.85rem;font-weight:400;color:var(--soft)}[aria-invalid]{border-color:var(--alarm)!important}
.error{border-left:4px solid var(--alarm);padding:.5rem .8rem}`;

/** No script, no request to anywhere, no framing; the one style is named by its hash. */
export const PAGE_CSP = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
export const PAGE_TYPE = 'text/html; charset=utf-8';

/** Text that has been made safe to stand in HTML. */
export class Html {
  constructor(readonly text: string) {}
}

/** Made without the template, whose formatting would add spaces: the style's hash in the policy is of every character. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

/** A template tag: what is put in is escaped, unless it is `Html` already. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | number | Html)[]): Html {
  const escaped = values.map((value) => (value instanceof Html ? value.text : escapeHtml(String(value))));
  return new Html(parts.reduce((text, part, index) => `${text}${part}${escaped[index] ?? ''}`, ''));
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** What a page may set of its answer. */
export interface PageReply {
  status(code: number): unknown;
}

/** A whole page that works without scripts. */
export function page(title: string, body: Html, language = 'en'): string {
  return html`<!doctype html>
    <html lang="${language.replaceAll('_', '-')}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `.text;
}
