"use strict";
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const make = (tag, text, name) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (name) node.className = name;
  return node;
};

// Charts follow the page's light or dark scheme.
const dark = matchMedia("(prefers-color-scheme: dark)");
const look = () => {
  const ink = getComputedStyle(document.documentElement);
  const color = (name) => ink.getPropertyValue(name).trim();
  const axis = { labelColor: color("--soft"), titleColor: color("--ink"), gridColor: color("--line"), domainColor: color("--line"), tickColor: color("--line") };
  return { background: "transparent", axis, header: { labelColor: color("--soft"), titleColor: color("--ink") }, legend: { labelColor: color("--ink"), orient: "bottom", columns: 3, labelLimit: 320, symbolOpacity: 1 }, view: { stroke: null } };
};
const draw = () => {
  const charts = read("chart-data");
  for (const [id, chart] of Object.entries(charts)) {
    const box = document.getElementById(id);
    const sized = chart.width === undefined ? {} : { width: Math.max(260, Math.min(520, box.clientWidth - 70)) };
    const title = { ...chart.title, color: getComputedStyle(document.documentElement).getPropertyValue("--ink").trim(), subtitleColor: getComputedStyle(document.documentElement).getPropertyValue("--soft").trim() };
    const spec = { ...chart, ...sized, title, config: { ...chart.config, ...look() } };
    vegaEmbed(box, spec, { actions: false, renderer: "svg" });
  }
};
draw();
dark.addEventListener("change", draw);

// A click on a heading sorts its table by that column.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const cell = button.parentElement;
    const table = cell.closest("table");
    const column = [...cell.parentElement.children].indexOf(cell);
    const down = cell.getAttribute("aria-sort") !== "descending";
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.children[column].dataset.v;
    const order = (a, b) => {
      const [x, y] = [key(a), key(b)];
      const numeric = x !== "" && y !== "" && !isNaN(x) && !isNaN(y);
      return (numeric ? x - y : x.localeCompare(y)) * (down ? -1 : 1);
    };
    table.tBodies[0].append(...[...table.tBodies[0].rows].sort(order));
  });
}

// What was lost: rows of numbers that point into tables of words; a page is drawn at a time.
const tables = read("lost-data");
const pick = (id) => document.getElementById(id);
const PAGE = 40;
const low = tables.probes.map(([name, question, answer]) => [name, question, answer].join(" ").toLowerCase());
const lowMessages = tables.messages.map(([, text]) => text.toLowerCase());
for (const [id, values] of [["by-strategy", tables.strategies], ["by-budget", tables.budgets]]) {
  pick(id).append(...["all", ...values].map((value) => make("option", value)));
}
const pairs = (row) => Array.from({ length: (row.length - 3) / 2 }, (_, i) => [row[3 + 2 * i], row[4 + 2 * i]]);
const matching = () => {
  const [strategy, budget] = [pick("by-strategy").selectedIndex - 1, pick("by-budget").selectedIndex - 1];
  const words = pick("by-text").value.toLowerCase().split(/\s+/).filter(Boolean);
  return tables.rows.filter((row) => (strategy < 0 || row[1] === strategy) && (budget < 0 || row[2] === budget) && words.every((word) => low[row[0]].includes(word) || pairs(row).some(([m]) => lowMessages[m].includes(word))));
};
const card = (row) => {
  const [name, question, answer] = tables.probes[row[0]];
  const node = make("div", undefined, "lost");
  const head = make("div");
  head.append(make("q", question), " ", make("b", answer), " ", make("span", `${tables.strategies[row[1]]} at ${tables.budgets[row[2]]}`, "mark"), " ", make("span", name, "note"));
  node.append(head);
  for (const [m, r] of pairs(row)) {
    const [id, text] = tables.messages[m];
    const went = make("div", undefined, "went");
    went.append(make("span", `${id} · ${tables.reasons[r]}`, "note"), make("br"), make("s", text));
    node.append(went);
  }
  return node;
};
let found = [], drawn = 0;
const more = () => {
  pick("lost").append(...found.slice(drawn, drawn + PAGE).map(card));
  drawn = Math.min(found.length, drawn + PAGE);
  pick("lost-more").hidden = drawn >= found.length;
  pick("lost-count").textContent = `${drawn.toLocaleString("en")} shown of ${found.length.toLocaleString("en")} found, ${tables.rows.length.toLocaleString("en")} in all`;
};
const show = () => {
  found = matching();
  drawn = 0;
  pick("lost").replaceChildren();
  more();
};
for (const id of ["by-strategy", "by-budget", "by-text"]) pick(id).addEventListener("input", show);
pick("lost-more").addEventListener("click", more);
document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
show();

// The inspector is that of the notebook; here a plain object stands for its model.
window.drawInspectors = (render) => {
  for (const document_ of read("documents")) {
    const values = { document: JSON.stringify(document_), budget: document_.budgets[Math.floor(document_.budgets.length / 2)] || "", probe: "", selected: "", search: "" };
    const model = { get: (name) => values[name], set: (name, value) => { values[name] = value; }, on() {}, save_changes() {} };
    const box = make("div", undefined, "inspected");
    pick("inspectors").append(box);
    render({ model, el: box });
  }
};
