/// The style sheet of the pages. The colours of curves are told apart by people with any colour
/// vision, by lightness too, and have a contrast of 4.5 or more against the page, light or dark.
enum PageStyle {
  static let sheet: HTML = """
    :root {
      --page: #ffffff; --ink: #131a26; --soft: #566275; --faint: #8a94a3; --hair: #e4e8ee;
      --wash: #f5f7fa; --accent: #0a5fb4; --shade: rgba(10, 95, 180, .06);
      --edge: rgba(19, 26, 38, .13);
      --s0: #77818f; --s1: #0a5fb4; --s2: #bd4600; --s3: #00795f; --s4: #8a3fa8; --s5: #806000;
      --s6: #3f4d5f;
    }
    @media screen and (prefers-color-scheme: dark) {
      :root {
        --page: #0f141c; --ink: #e9edf3; --soft: #a3aebd; --faint: #78838f; --hair: #27303c;
        --wash: #161d27; --accent: #6fb3ff; --shade: rgba(111, 179, 255, .09);
        --edge: rgba(233, 237, 243, .24);
        --s0: #929daa; --s1: #6fb3ff; --s2: #ff9a5a; --s3: #43cfae; --s4: #d3a0f0; --s5: #e3bf4d;
        --s6: #c3ccd8;
      }
    }
    .s0 { --c: var(--s0); } .s1 { --c: var(--s1); } .s2 { --c: var(--s2); }
    .s3 { --c: var(--s3); } .s4 { --c: var(--s4); } .s5 { --c: var(--s5); }
    .s6 { --c: var(--s6); }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
    body {
      margin: 0; background: var(--page); color: var(--ink);
      font: 16px/1.55 Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto,
        "Helvetica Neue", Arial, sans-serif;
      font-variant-numeric: tabular-nums; -webkit-font-smoothing: antialiased;
    }
    main, footer { max-width: 1080px; margin: 0 auto; padding: 0 32px; }
    header { padding: 56px 0 8px; }
    h1, h2, h3, p, dl, dd, figure, pre { margin: 0; }
    h1 {
      font-size: clamp(30px, 5vw, 42px); line-height: 1.12; letter-spacing: -.025em;
      font-weight: 680; overflow-wrap: anywhere;
    }
    h2 { font-size: 24px; line-height: 1.25; letter-spacing: -.018em; font-weight: 650; }
    h3 { font-size: 15px; line-height: 1.4; letter-spacing: -.005em; font-weight: 620; }
    .eyebrow { color: var(--accent); font-size: 14px; font-weight: 600; margin-bottom: 6px; }
    .facts span { display: inline-block; color: var(--soft); }
    .facts span:not(:last-child)::after { content: "·"; margin: 0 .5em; color: var(--faint); }
    p.facts { margin-top: 10px; font-size: 15px; }
    h1 .against { color: var(--soft); font-weight: 400; }
    .sides { margin-top: 22px; }
    .lead { margin-top: 24px; font-size: 20px; line-height: 1.5; max-width: 44em;
      letter-spacing: -.01em; text-wrap: pretty; }
    .lead b { font-weight: 650; }
    .note { margin-top: 20px; padding: 12px 16px; max-width: 60em; background: var(--wash);
      border-left: 3px solid var(--s2); border-radius: 0 6px 6px 0; font-size: 15px;
      overflow-wrap: anywhere; }
    .about { color: var(--soft); font-size: 15px; max-width: 48em; text-wrap: pretty;
      margin: 6px 0 16px; }
    .fine { color: var(--soft); font-size: 13px; max-width: 60em; }
    .tiles {
      display: grid; grid-template-columns: repeat(auto-fit, minmax(168px, 1fr));
      margin: 36px 0 10px; border-top: 1px solid var(--hair); border-bottom: 1px solid var(--hair);
    }
    .tile { padding: 18px 20px 18px 0; min-width: 0; }
    .tile .what { font-size: 14px; font-weight: 600; line-height: 1.35; }
    .tile .what span { display: block; font-weight: 400; color: var(--soft);
      overflow-wrap: anywhere; }
    .tile .value { font-size: 34px; line-height: 1.25; font-weight: 640; letter-spacing: -.03em; }
    .tile svg { width: 100%; max-width: 150px; height: auto; display: block; margin: 2px 0 4px; }
    .tile .range { font-size: 13px; line-height: 1.45; color: var(--soft);
      overflow-wrap: anywhere; }
    nav { display: flex; flex-wrap: wrap; gap: 4px 22px; padding: 18px 0 0; font-size: 15px; }
    a { color: var(--accent); text-decoration: none; }
    a:hover { text-decoration: underline; text-underline-offset: 3px; }
    section { padding: 28px 0 0; margin: 40px 0 0; border-top: 1px solid var(--hair);
      scroll-margin-top: 12px; }
    section > h2 { margin-bottom: 14px; }
    section > h3, section .grid + h3 { margin: 26px 0 6px; }
    section > h2 + h3 { margin-top: 0; }
    section > h3 + .about { margin-top: 0; }

    /* The second background darkens the right edge; the first scrolls and hides it at the end. */
    .scroll {
      overflow-x: auto;
      background:
        linear-gradient(to left, var(--page) 40%, transparent) right / 60px 100% no-repeat local,
        linear-gradient(to left, var(--edge), transparent) right / 28px 100% no-repeat scroll;
    }
    .scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
    table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: 14px;
      line-height: 1.4; }
    th, td { text-align: right; vertical-align: top; padding: 9px 0 9px 22px; font-weight: 400;
      white-space: nowrap; }
    th:first-child, td:first-child { text-align: left; padding-left: 0; }
    th:first-child { position: sticky; left: 0; z-index: 1; background: var(--page); }
    thead th { color: var(--soft); font-size: 13px; vertical-align: bottom; white-space: normal;
      min-width: 5.2em; border-bottom: 1px solid var(--hair); }
    tbody tr + tr > * { border-top: 1px solid var(--hair); }
    tbody th { font-weight: 560; white-space: normal; min-width: 9.5em; max-width: 24em;
      overflow-wrap: break-word; }
    td small, th small { display: block; font-size: 12px; color: var(--soft); font-weight: 400; }
    td.best data { font-weight: 680; }
    tr.baseline th, tr.baseline td { color: var(--soft); font-weight: 400; }
    .none { color: var(--faint); }
    td.strip { vertical-align: middle; }
    td.strip svg { display: inline-block; vertical-align: middle; }
    svg.strip { display: block; width: 96px; height: 16px; margin: 2px 0 0 auto; }
    svg.difference { width: 140px; }
    svg.reason { width: 100%; min-width: 90px; height: 12px; }
    table.reasons th { min-width: 7em; }
    table.reasons td.strip { width: 40%; }
    table.reasons thead th:nth-child(2), table.reasons thead th { min-width: 0; }
    table.texts th, table.texts td { text-align: left; min-width: 0; }
    table.texts td.long { white-space: normal; min-width: 14em; overflow-wrap: anywhere; }
    svg.swatch { width: 11px; height: 11px; vertical-align: -1px; }
    th .key { display: inline-flex; align-items: baseline; }
    .key::before { flex: none; }
    .key::before { content: ""; display: inline-block; width: 10px; height: 10px;
      border-radius: 3px; background: var(--c); margin-right: 7px; }

    .grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(290px, 100%), 1fr));
      gap: 28px 26px; }
    .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr));
      gap: 20px 48px; }
    .grid figure { display: flex; flex-direction: column; justify-content: space-between;
      max-width: 460px; }
    figcaption { margin-bottom: 10px; }
    figcaption p { color: var(--soft); font-size: 14px; line-height: 1.45; text-wrap: pretty; }
    figure.time { margin-top: 26px; }
    figure.time:first-of-type { margin-top: 18px; }
    figure svg { display: block; width: 100%; height: auto; overflow: visible; }
    .narrow { display: none; }
    svg text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
    svg text.axis { fill: var(--soft); }
    svg text.name { font-weight: 600; fill: var(--c, var(--ink)); stroke: var(--page);
      stroke-width: 4px; stroke-linejoin: round; paint-order: stroke; }
    svg .rule { stroke: var(--hair); stroke-width: 1; }
    svg .base { stroke: var(--faint); stroke-width: 1; }
    svg .reference { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 4 4; }
    svg .limit { stroke: var(--ink); stroke-width: 1.25; stroke-dasharray: 6 4; }
    svg .line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round;
      stroke-linecap: round; }
    svg .line.thin { stroke-width: 1.25; opacity: .6; }
    svg .line.s0 { stroke-width: 1.25; stroke-dasharray: 5 4; }
    svg .line.day { stroke-width: 1; opacity: .32; stroke-dasharray: none; }
    svg .dot { fill: var(--c); stroke: var(--page); stroke-width: 1; }
    svg .dot.hollow { fill: var(--page); stroke: var(--c); stroke-width: 1.5; }
    svg .pointer { stroke: var(--c); stroke-width: 1; opacity: .55; }
    svg .bar { fill: var(--c); }
    svg .bar.s0 { opacity: .42; }
    svg .shade { fill: var(--shade); }
    svg .edge { stroke: var(--accent); stroke-width: 1; opacity: .28; }
    svg .published { stroke: var(--c); stroke-width: 1; opacity: .6; fill: none; }
    svg .track { stroke: var(--hair); stroke-width: 2; stroke-linecap: round; }
    svg .mark { stroke: var(--c, var(--accent)); stroke-width: 2.5; stroke-linecap: round; }
    svg rect.range { fill: var(--c, var(--accent)); opacity: .28; }
    svg .window { fill: var(--c); opacity: .5; }
    svg .drift { fill: none; stroke: var(--hair); }
    svg .drift0 { fill: var(--hair); }
    svg .drift1 { fill: var(--s2); opacity: .45; }
    svg .drift2 { fill: var(--s2); }
    .better data { color: var(--s1); } .worse data { color: var(--s2); }

    details { border-top: 1px solid var(--hair); padding: 12px 0; }
    summary { cursor: pointer; font-size: 15px; font-weight: 560; }
    details .scroll { max-height: 460px; overflow-y: auto; margin-top: 10px; }
    details + h3 { margin-top: 22px; }
    pre { overflow-x: auto; padding: 16px 18px; background: var(--wash); border-radius: 8px;
      font-size: 13px; line-height: 1.6; margin-bottom: 22px; }
    code { font-family: ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas,
      "Liberation Mono", monospace; font-size: 13px; overflow-wrap: anywhere; }
    pre code { overflow-wrap: normal; }
    dl { display: grid; grid-template-columns: minmax(9em, max-content) 1fr; gap: 7px 28px;
      font-size: 14px; }
    dt { color: var(--soft); overflow-wrap: anywhere; }
    dd { min-width: 0; }
    footer { padding-top: 28px; padding-bottom: 56px; margin-top: 48px; color: var(--soft);
      font-size: 13px; }
    footer p { border-top: 1px solid var(--hair); padding-top: 18px; }

    @media screen and (max-width: 760px) {
      main, footer { padding-left: 20px; padding-right: 20px; }
      header { padding-top: 32px; }
      .scroll { margin-right: -20px; padding-right: 20px; }
      .lead { font-size: 18px; }
      .tiles { grid-template-columns: 1fr 1fr; }
      .tile .value { font-size: 30px; }
      .wide { display: none; }
      .narrow { display: block; max-width: 520px; }
      tbody th { min-width: 6.5em; max-width: 11em; }
      th, td { padding-left: 12px; }
      th:first-child { padding-right: 4px; }
      svg.reason { min-width: 60px; }
      dl { grid-template-columns: 1fr; gap: 0; }
      dd { margin-bottom: 10px; }
    }
    @page { size: A4; margin: 14mm 13mm; }
    @media print {
      body { font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
      main, footer { max-width: none; padding: 0; }
      header { padding-top: 0; }
      nav, details, #versions:not(:has(h3)) { display: none; }
      .scroll { overflow: visible; background: none; }
      .about { orphans: 4; widows: 4; break-inside: avoid; }
      table { font-size: 8.5pt; }
      th, td { padding: 5px 0 5px 9px; }
      thead th { font-size: 8pt; min-width: 0; }
      tbody th { min-width: 7em; }
      small.spread { display: inline; }
      svg.strip { margin-top: 0; height: 13px; }
      .grid { grid-template-columns: 1fr 1fr 1fr; gap: 16px; }
      .tiles { grid-template-columns: repeat(5, 1fr); }
      section { margin-top: 22px; padding-top: 16px; }
      h2, h3, .about { break-after: avoid; }
      figure, tr, .tile, pre { break-inside: avoid; }
      pre { white-space: pre-wrap; border: 1px solid var(--hair); }
      a { color: inherit; }
    }
    """
}
