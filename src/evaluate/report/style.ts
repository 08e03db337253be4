/** The report's own style: it reads on a screen and on paper, with nothing fetched. */
export const style = `
:root{--ink:#1b2733;--quiet:#5a6b7b;--line:#dbe2e8;--ground:#f5f7f9;--result:#e8590c;--reference:#0b7fab;--curve:#1864ab}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1180px;margin:0 auto;padding:28px 24px 60px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px}
h2{font-size:19px;margin:36px 0 12px}
p{margin:6px 0;max-width:80ch}
.quiet,figcaption,.identity{color:var(--quiet)}
.identity{font-size:13.5px;overflow-wrap:anywhere;max-width:none}
.caution{margin:18px 0;padding:12px 16px;border-left:4px solid #c92a2a;background:#fff5f5;border-radius:0 6px 6px 0}
.caution p{margin:3px 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:18px 0}
.tile{background:#fff;border:1px solid var(--line);border-radius:8px;padding:12px 14px}
.tile b{display:block;font-size:23px;line-height:1.25;font-variant-numeric:tabular-nums}
.tile span{color:var(--quiet);font-size:13px}
.scroll{overflow-x:auto;background:#fff;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:7px 9px;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td,tr:last-child th[scope=row]{border-bottom:0}
th{font-weight:600;color:var(--quiet);font-size:13px;background:#fafbfc}
th[scope=row],th.text,td.text{text-align:left}
th[scope=row]{color:var(--ink);background:none;font-size:14px}
td.text,th[scope=row]{overflow-wrap:anywhere;min-width:13ch}
td small{display:block;color:var(--quiet);white-space:nowrap}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(340px,100%),1fr));gap:14px;margin:14px 0}
.figures.pairs{grid-template-columns:repeat(auto-fill,minmax(min(400px,100%),1fr))}
figure{margin:0;background:#fff;border:1px solid var(--line);border-radius:8px;padding:12px 14px;break-inside:avoid}
.below{margin:14px 0}
figcaption{font-size:13px;margin-top:6px;overflow-wrap:anywhere}
.plot{display:block;width:100%;height:auto;max-width:820px;margin:0 auto}
.plot text{font:12px system-ui,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--quiet)}
.plot .label,.plot .name{fill:var(--ink)}
.plot .note{font-size:11px}
.plot .grid line{stroke:#edf1f4}
.plot .axis{fill:none;stroke:#9aa8b5}
.plot polyline{fill:none}
.plot .guide{stroke:#9aa8b5;stroke-dasharray:4 4;fill:none}
.plot .curve{stroke:var(--curve);stroke-width:2;fill:none;stroke-linejoin:round}
.plot .point{fill:var(--curve);fill-opacity:.75}
.plot .marked{fill:#fff;stroke:var(--result);stroke-width:2}
.plot .counts{fill:#d0e2f2}
.plot .bias{stroke:var(--curve);stroke-width:1.5}
.plot .limit{stroke:var(--result);stroke-dasharray:5 4}
.plot .box{fill:#d0e2f2;stroke:var(--curve)}
.plot .median{stroke:var(--curve);stroke-width:2.5}
.picture{display:block;width:100%;height:auto;background:#000;border-radius:4px}
.picture path{fill:none;stroke-width:1.8;vector-effect:non-scaling-stroke}
.picture .result{stroke:#ff922b}
.picture .reference{stroke:#3bc9db;stroke-dasharray:5 3}
.key{display:inline-block;width:26px;height:0;border-top:3px solid #ff922b;vertical-align:middle;margin:0 4px 0 10px}
.key.reference{border-top:3px dashed #22b8cf}
.matrix td.right{background:#e7f5ff;font-weight:600}
dl{display:grid;grid-template-columns:minmax(130px,max-content) 1fr;gap:4px 18px;margin:8px 0}
dt{font-weight:600}dd{margin:0;max-width:85ch}
@media (max-width:620px){main{padding:18px 14px}dl{grid-template-columns:1fr}dd{margin-bottom:6px}}
@media print{body{background:#fff}main{max-width:none;padding:0}}
`
