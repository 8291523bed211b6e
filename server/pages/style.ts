import { createHash } from "node:crypto";

/** The one style sheet. Colors are named by their purpose and have a value for light and one for dark. */
const CSS = `:root{color-scheme:light dark;
--page:#f4f6f8;--card:#fff;--text:#15191e;--muted:#55606d;--line:#d9dfe6;--field:#87919d;--accent:#1657c5;--accent-strong:#0f469f;--on-accent:#fff;
--code:#f0f3f6;--warn:#fff5dc;--warn-line:#d9a73a;--warn-text:#573f00;--bad:#fdecea;--bad-line:#d3564a;--bad-text:#8c1d13;--good:#157347;
--line1:#1657c5;--line2:#a3470b;--line3:#7b2fa0}
@media(prefers-color-scheme:dark){:root{
--page:#0e1216;--card:#171c22;--text:#e8ebef;--muted:#a3aeba;--line:#2c343d;--field:#6f7b88;--accent:#86b4ff;--accent-strong:#a9caff;--on-accent:#0a1c38;
--code:#10151a;--warn:#2c2410;--warn-line:#8d6f24;--warn-text:#f4d58a;--bad:#33191a;--bad-line:#a04a44;--bad-text:#ffb4ab;--good:#6fd19b;
--line1:#86b4ff;--line2:#ffb36b;--line3:#dba6f5}}
*,::before,::after{box-sizing:border-box}[hidden]{display:none!important}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;background:var(--page);color:var(--text);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;overflow-wrap:break-word}
a{color:var(--accent);text-underline-offset:.18em}a:hover{color:var(--accent-strong)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:4px}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .75rem;letter-spacing:-.015em;text-wrap:balance}
h2{font-size:1.2rem;line-height:1.3;margin:2.5rem 0 .75rem;letter-spacing:-.01em}
h2.label{font-size:1rem;margin:1.25rem 0 .5rem;letter-spacing:0}
h3{font-size:1rem;margin:0 0 .5rem}
p,ul,ol,pre,dl{margin:0 0 1rem}
ul,ol{padding-left:1.25rem}li{margin:.25rem 0}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;font-size:.875em}
code{background:var(--code);border:1px solid var(--line);border-radius:4px;padding:.05em .3em}
pre{background:var(--code);border:1px solid var(--line);border-radius:8px;padding:.75rem 1rem;white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.5;user-select:all;-webkit-user-select:all}
pre code{background:none;border:0;padding:0;font-size:inherit}
table{border-collapse:collapse;width:100%;margin:0 0 1rem;display:block;overflow-x:auto}
th,td{text-align:left;vertical-align:top;padding:.45rem .9rem .45rem 0;border-bottom:1px solid var(--line)}
.skip{position:absolute;left:-999rem}.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem 1rem;z-index:1}
.top{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1.25rem;padding:.9rem clamp(1rem,4vw,2rem);background:var(--card);border-bottom:1px solid var(--line)}
.brand{display:inline-flex;align-items:center;gap:.6rem;font-weight:650;color:var(--text);text-decoration:none;margin-right:auto}
.brand:hover{color:var(--text)}.brand svg{width:1.6rem;height:1.6rem;color:var(--accent)}
.top nav{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;align-items:center}
.top nav a{padding:.35rem 0;text-decoration:none;color:var(--muted)}.top nav a:hover{color:var(--text);text-decoration:underline}
main{width:100%;max-width:62rem;margin:0 auto;padding:clamp(1.25rem,4vw,2.75rem) clamp(1rem,4vw,2rem) 3rem;flex:1}
main.narrow{max-width:31rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:clamp(1.1rem,4vw,2rem);margin:0 0 1.25rem;box-shadow:0 1px 2px rgb(0 0 0/.05)}
.card>:first-child{margin-top:0}.card>:last-child,.note>:last-child{margin-bottom:0}
.lead{font-size:1.1rem;color:var(--muted);max-width:46rem}
.muted{color:var(--muted)}.small{font-size:.9rem}
.note{border:1px solid var(--line);border-left:4px solid var(--field);border-radius:8px;padding:.75rem 1rem;margin:0 0 1.1rem;background:var(--code)}
.note.warn{background:var(--warn);border-color:var(--warn-line);color:var(--warn-text)}
.note.good{border-left-color:var(--good)}
.note.bad{background:var(--bad);border-color:var(--bad-line);color:var(--bad-text)}
label{display:block;font-weight:600}
label .hint{display:block;font-weight:400;color:var(--muted);font-size:.9rem}
input:not([type=checkbox],[type=radio],[type=hidden]),select,textarea{display:block;width:100%;margin:.3rem 0 1.1rem;padding:.65rem .75rem;font:inherit;color:inherit;
background:var(--card);border:1px solid var(--field);border-radius:8px}
input[aria-invalid=true]{border-color:var(--bad-line)}
input[type=checkbox]{width:1.15rem;height:1.15rem;margin:0;accent-color:var(--accent);flex:none}
.check{display:flex;gap:.65rem;align-items:center;font-weight:400;margin:0 0 1.25rem}
.actions{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.25rem 0 0}
button,.button{display:inline-block;font:inherit;font-weight:600;line-height:1.4;padding:.6rem 1.15rem;border-radius:8px;border:1px solid var(--accent);
background:var(--accent);color:var(--on-accent);cursor:pointer;text-decoration:none;text-align:center}
button:hover,.button:hover{background:var(--accent-strong);border-color:var(--accent-strong);color:var(--on-accent)}
.actions button{flex:1 1 9rem}
.button.wide,button.wide{display:block;width:100%}
button.quiet,.button.quiet{background:transparent;color:var(--text);border-color:var(--field)}
button.quiet:hover,.button.quiet:hover{background:var(--code);color:var(--text);border-color:var(--text)}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1.1rem}
.facts dt{color:var(--muted)}.facts dd{margin:0;overflow-wrap:anywhere}
.properties>div{display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;padding:.45rem 0;border-bottom:1px solid var(--line)}
.properties dt{flex:1 1 14rem;min-width:0;overflow-wrap:anywhere}.properties dd{flex:3 1 20rem;min-width:0;margin:0}
.properties .type{color:var(--muted);font-size:.9rem}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));gap:1rem;margin:0 0 1rem}
.grid .card{margin:0;padding:1.1rem 1.25rem;min-width:0}
.rows{list-style:none;padding:0;margin:0}
.rows>li{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;justify-content:space-between;padding:.85rem 0;margin:0;border-top:1px solid var(--line)}
.rows>li:first-child{border-top:0;padding-top:.25rem}.rows>li:last-child{padding-bottom:0}
.rows form{margin:0}.rows p{margin:0}.rows>li>div{flex:1 1 16rem;min-width:0}
.badge{display:inline-block;font-size:.8rem;font-weight:600;border:1px solid currentColor;border-radius:99px;padding:.05rem .6rem;color:var(--muted);white-space:nowrap}
.badge.good{color:var(--good)}
.scopes{list-style:none;padding:0}.scopes li{display:flex;gap:.65rem;align-items:baseline;margin:.4rem 0}
.scopes li::before{content:"";flex:none;width:.45rem;height:.8rem;border:solid var(--good);border-width:0 .15rem .15rem 0;transform:rotate(45deg) translate(.05rem,-.05rem)}
.head>:first-child{margin-top:0}.head{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:baseline;justify-content:space-between}
.foot{display:flex;flex-wrap:wrap;gap:.75rem;border-top:1px solid var(--line);padding-top:1rem;margin-top:1rem}.foot form{margin:0}
.rows .button,.rows button{white-space:nowrap}
button.compact{padding:.2rem .7rem;font-size:.85rem}
.inline{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end}.inline label{flex:1 1 12rem}.inline input:not([type=hidden]){margin-bottom:0}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.qr svg{display:block;border-radius:8px}
.codes{columns:2 9rem;font-size:1rem}
.more{margin-top:1.25rem;padding-top:1rem;border-top:1px solid var(--line)}.more p{margin:.5rem 0 .75rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem;margin:0 0 1.25rem}
.chart{margin:0;padding:1rem 1.25rem;min-width:0}.chart h2.label{margin:0 0 .25rem}
.plot{min-height:150px;margin-top:.5rem;overflow:hidden}
.legend{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;list-style:none;padding:0;margin:0;font-size:.9rem;color:var(--muted)}.legend li{margin:0}
.legend output{color:var(--text);font-weight:600;font-variant-numeric:tabular-nums}
.key{display:inline-block;width:1.4rem;margin-right:.4rem;vertical-align:middle;border-top:3px solid var(--line1)}
.key.line2{border-top:3px dashed var(--line2)}.key.line3{border-top:3px dotted var(--line3)}
.live{margin:0}.scroll{overflow-x:auto;margin:1rem 0}.scroll table{display:table;font-size:.875rem;font-variant-numeric:tabular-nums;margin:0}
.scroll th,.scroll td{white-space:nowrap}.scroll thead th{white-space:normal;min-width:5.5rem;vertical-align:bottom}
meter{width:8rem;height:1rem;vertical-align:middle;margin-right:.5rem}
button[aria-pressed=true]{background:var(--code)}
details>summary{cursor:pointer;font-weight:600;padding:.2rem 0}
.bottom{padding:1.25rem clamp(1rem,4vw,2rem) 1.75rem;text-align:center;color:var(--muted);font-size:.875rem}
.bottom p{margin:0}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
@media(forced-colors:active){button,.button,.card,.note{border:1px solid}}
`;

const HASH = createHash("sha256").update(CSS).digest("hex").slice(0, 16);

/** The style sheet and its path. The path changes with the text, so it may be cached for good. */
export const STYLE_SHEET = { path: `/assets/style-${HASH}.css`, css: CSS } as const;
