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
  return { background: "transparent", axis, legend: { labelColor: color("--ink"), orient: "bottom", columns: 3, labelLimit: 320, symbolOpacity: 1 } };
};
const draw = () => {
  const charts = read("chart-data");
  for (const id of Object.keys(charts)) {
    if (!charts[id]) continue;
    const box = document.getElementById(id);
    const width = Math.max(260, Math.min(520, box.clientWidth - 70));
    const spec = { ...charts[id], width, config: { ...charts[id].config, ...look() } };
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

// What was lost, by conversation; only what is opened is drawn.
const lost = read("lost-data");
const pick = (id) => document.getElementById(id);
for (const [id, field] of [["by-strategy", "strategy"], ["by-budget", "budget"]]) {
  const values = [...new Set(lost.map((one) => one[field]))];
  pick(id).append(...["all", ...values].map((value) => make("option", value)));
}
const matches = (one) => {
  const [strategy, budget] = [pick("by-strategy").value, pick("by-budget").value];
  const words = pick("by-text").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [one.question, one.answer, ...one.evidence.map((e) => e[1])].join(" ").toLowerCase();
  return (strategy === "all" || one.strategy === strategy) && (budget === "all" || one.budget === budget) && words.every((word) => text.includes(word));
};
const card = (one) => {
  const node = make("div", undefined, "lost");
  const head = make("div");
  head.append(make("q", one.question), " ", make("b", one.answer), " ", make("span", `${one.strategy} at ${one.budget}`, "mark"));
  node.append(head);
  for (const [id, text, reason] of one.evidence) {
    const went = make("div", undefined, "went");
    went.append(make("span", `${id} · ${reason}`, "note"), make("br"), make("s", text));
    node.append(went);
  }
  return node;
};
const show = () => {
  const found = lost.filter(matches);
  pick("lost-count").textContent = `${found.length.toLocaleString("en")} of ${lost.length.toLocaleString("en")}`;
  const byCase = Map.groupBy ? Map.groupBy(found, (one) => one.case) : found.reduce((m, one) => m.set(one.case, [...(m.get(one.case) || []), one]), new Map());
  pick("lost").replaceChildren(...[...byCase].map(([name, members]) => {
    const box = make("details", undefined, "case");
    box.append(make("summary", `${name}: ${members.length}`));
    box.addEventListener("toggle", () => { if (box.open && box.children.length === 1) box.append(...members.map(card)); });
    return box;
  }));
};
for (const id of ["by-strategy", "by-budget", "by-text"]) pick(id).addEventListener("input", show);
document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
show();
