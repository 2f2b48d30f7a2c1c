// A conversation under several strategies, side by side. Everything that it shows is in the
// document that it is given: it asks for nothing, and needs no kernel.
const WORDS = { k: "kept", t: "trimmed", r: "rewritten", d: "dropped" };
const BLOCK = 40; // rows that are drawn together, when they come near
const HEIGHT = 66; // pixels that a row takes until it is drawn

const make = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
};
// Marks of direction and control characters are named, not obeyed.
const TURNS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const plain = (text) => text.replace(TURNS, (c) => `[U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
const count = (n) => n.toLocaleString("en");

// "3k1d" is kept, kept, kept, dropped.
const unpack = (packed) => {
  let text = "";
  for (const [, n, letter] of packed.matchAll(/(\d+)([ktrd])/g)) text += letter.repeat(+n);
  return text;
};

function render({ model, el }) {
  const data = JSON.parse(model.get("document"));
  const { messages, strategies, budgets, probes, texts, reasons, rankings, frames } = data;
  const low = messages.map((m) => [m.text, m.name || "", ...(m.calls || []).flat()].join(" ").toLowerCase());
  const fates = new Map();
  const ranked = rankings.map((flat) => {
    const found = {};
    for (let i = 0; i < flat.length; i += 3) found[flat[i]] = [flat[i + 1], flat[i + 2]];
    return found;
  });
  const state = { budget: Math.max(0, budgets.indexOf(model.get("budget"))), probe: probes.findIndex((p) => p.id === model.get("probe")), on: -1, words: [], hits: [], changed: false, fold: true, open: new Set(), unfolded: new Set() };

  // What one strategy does at the chosen budget, for the chosen probe where it sees the question.
  const frameOf = (s, probe = state.probe) => {
    const own = `${s},${state.budget},${probe}`;
    const key = frames[own] ? own : `${s},${state.budget},${strategies[s][1] ? 0 : -1}`;
    const frame = frames[key];
    if (!frame) return undefined;
    if (!fates.has(key)) {
      const letters = unpack(frame.fates), ranks = ranked[frame.ranking] || {};
      fates.set(key, { ...frame, letters, ranks, texts: frame.texts || {}, why: frame.why || {}, tokens: frame.tokens || {} });
    }
    return fates.get(key);
  };
  // The lowest score that was kept for its score: what went with a higher one did not fit.
  const lowest = (frame) => {
    if (frame.low === undefined) frame.low = Object.entries(frame.ranks).reduce((low, [at, r]) => (frame.letters[at] === "k" && !messages[at].pinned ? Math.min(low, r[1]) : low), Infinity);
    return frame.low;
  };
  const outcome = (frame, probe) => {
    if (!frame) return ["–", ""];
    const letters = probe.evidence.map((at) => frame.letters[at]);
    const kept = letters.filter((l) => l === "k").length;
    if (!letters.length) return ["no evidence", ""];
    if (probe.any ? kept : kept === letters.length) return ["found", "k"];
    return letters.includes("d") ? ["lost", "d"] : ["changed", "r"];
  };

  const root = make("div", "ctx-inspector");
  root.tabIndex = 0;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", `Inspector of ${data.title}`);
  root.dataset.lmSuppressShortcuts = "true"; // JupyterLab leaves the keys to us
  root.style.setProperty("--n", strategies.length);

  const bar = make("div", "bar");
  const slider = Object.assign(make("input"), { type: "range", min: 0, max: Math.max(0, budgets.length - 1), step: 1 });
  slider.setAttribute("aria-label", "budget");
  const budget = make("output");
  const search = Object.assign(make("input"), { type: "search", placeholder: "search all text" });
  search.setAttribute("aria-label", "search all text");
  const hits = make("output");
  const check = (text, key) => {
    const label = make("label");
    const box = Object.assign(make("input"), { type: "checkbox", checked: state[key] });
    box.addEventListener("change", () => { state[key] = box.checked; draw(); });
    label.append(box, text);
    label.box = box;
    return label;
  };
  const onlyChanged = check("only what changed", "changed");
  const foldRuns = check("fold runs", "fold");
  const ranged = make("label");
  ranged.append("budget", slider, budget);
  const searched = make("label");
  searched.append(search, hits);
  bar.append(make("b", "", plain(data.title)), ranged, searched, onlyChanged, foldRuns);

  const tiers = make("div", "tiers");
  const body = make("div", "body");
  const side = make("div", "probes");
  const list = make("div", "list");
  const heads = make("div", "heads");
  const rows = make("div", "rows");
  list.append(heads, rows);
  if (probes.length) body.append(side);
  body.append(list);
  const help = make("div", "help");
  for (const [key, text] of [["j k", "message"], ["p P", "probe"], ["[ ]", "budget"], ["/", "search"], ["n N", "hit"], ["c", "only changed"], ["f", "fold"], ["Enter", "open"]]) help.append(make("kbd", "", key), ` ${text}  `);
  root.append(bar, tiers, body, help);
  el.append(root);

  const marked = (node, text) => {
    text = plain(text);
    const word = state.words[0];
    if (!word) { node.append(text); return; }
    const lower = text.toLowerCase();
    let at = 0;
    for (let i = lower.indexOf(word); i >= 0; i = lower.indexOf(word, at)) {
      node.append(text.slice(at, i), make("mark", "", text.slice(i, i + word.length)));
      at = i + word.length;
    }
    node.append(text.slice(at));
  };
  const cut = (text, open) => (open || text.length < 1500 ? text : text.slice(0, 1500) + " …");

  const cell = (frame, at, open) => {
    const box = make("div");
    if (!frame) { box.append("not measured"); return box; }
    const letter = frame.letters[at];
    if (!letter) { box.append(make("span", "why", "after the question")); return box; }
    const rank = frame.ranks[at];
    const word = make("span", `fate-${letter}`, WORDS[letter]);
    box.append(word);
    if (letter !== "k" && frame.tokens[at] !== undefined) box.append(` ${count(messages[at].tokens)} → ${count(frame.tokens[at])} tokens`);
    const stood = rank ? `rank ${rank[0]}, score ${rank[1]}` : "";
    const unfit = rank && letter === "d" && lowest(frame) < Infinity ? (rank[1] >= lowest(frame) ? ": did not fit" : `; the lowest kept has ${lowest(frame)}`) : "";
    const reason = frame.why[at] !== undefined ? reasons[frame.why[at]] : stood + unfit;
    if (reason) box.append(make("div", "why", plain(reason)));
    if (frame.texts[at] !== undefined) {
      const text = make("div", "text");
      text.dir = "auto";
      let left = open ? Infinity : 1500;
      for (const [kind, piece] of texts[frame.texts[at]]) {
        if (left <= 0) { text.append(" …"); break; }
        const node = kind === "s" ? text : make(kind === "o" ? "s" : "ins");
        marked(node, piece.slice(0, left));
        if (node !== text) text.append(node);
        left -= piece.length;
      }
      box.append(text);
    }
    return box;
  };
  const row = (at, shown) => {
    const message = messages[at], open = state.open.has(at);
    const box = make("div", "row");
    box.dataset.at = at;
    if (at === state.on) box.classList.add("on");
    if (open) box.classList.add("open");
    if (state.probe >= 0 && probes[state.probe].evidence.includes(at)) box.classList.add("gold");
    const first = make("div");
    const who = [message.id, [message.role, message.name].filter(Boolean).join(" "), `${count(message.tokens || 0)} tokens`, message.pinned ? "pinned" : ""];
    first.append(make("div", "meta", plain(who.filter(Boolean).join(" · "))));
    for (const [name, args] of message.calls || []) { const call = make("code", "text"); marked(call, `→ ${name}(${cut(args, open)})`); first.append(call); }
    const text = make("div", "text");
    text.dir = "auto";
    marked(text, cut(message.text || "", open));
    first.append(text);
    box.append(first, ...shown.map((frame) => cell(frame, at, open)));
    return box;
  };
  const run = (item) => {
    const tokens = messages.slice(item.from, item.to).reduce((sum, m) => sum + (m.tokens || 0), 0);
    const box = make("div", "run", `▸ ${count(item.to - item.from)} messages ${item.word} · ${count(tokens)} tokens · ${plain(messages[item.from].id)} – ${plain(messages[item.to - 1].id)}`);
    box.dataset.from = item.from;
    return box;
  };

  // Messages that all strategies treat alike, and that nothing points at, fold into a run.
  let items = [];
  const itemize = (shown) => {
    items = [];
    const gold = state.probe >= 0 ? new Set(probes[state.probe].evidence) : new Set();
    const found = new Set(state.hits);
    const kind = (at) => {
      if (at === state.on || gold.has(at) || found.has(at)) return "";
      const letters = shown.map((f) => (f ? f.letters[at] || "d" : "d"));
      if (letters.every((l) => l === "k")) return state.changed ? "kept by all" : "";
      if (state.fold && letters.every((l) => l === "d") && shown.every((f) => !f || f.texts[at] === undefined)) return "dropped by all";
      return "";
    };
    for (let at = 0; at < messages.length; ) {
      const word = kind(at);
      let end = at + 1;
      if (word) while (end < messages.length && kind(end) === word) end++;
      if (word && end - at >= 3 && !state.unfolded.has(at)) items.push({ from: at, to: end, word });
      else for (let i = at; i < end; i++) items.push({ at: i });
      at = end;
    }
  };

  let blocks = [], shown = [];
  const fill = (b) => {
    const block = blocks[b];
    block.replaceChildren(...items.slice(b * BLOCK, (b + 1) * BLOCK).map((item) => (item.word ? run(item) : row(item.at, shown))));
    block.style.minHeight = "";
    block.filled = true;
  };
  const near = new IntersectionObserver((seen) => {
    for (const one of seen) if (one.isIntersecting && !one.target.filled) fill(one.target.number);
  }, { root: list, rootMargin: "300px" });

  const bars = () => {
    tiers.replaceChildren();
    const names = [...new Set(messages.map((m) => m.tier))];
    if (names.length < 2) { tiers.hidden = true; return; }
    shown.forEach((frame, s) => {
      if (!frame) return;
      const sums = Object.fromEntries(names.map((n) => [n, 0]));
      messages.forEach((m, at) => { sums[m.tier] += frame.letters[at] === "k" ? m.tokens || 0 : frame.tokens[at] || 0; });
      tiers.append(make("span", "", `${plain(strategies[s][0])}: ${names.map((n) => `${n} ${count(sums[n])}`).join(", ")}`));
    });
  };
  const draw = (keep = true) => {
    const top = keep ? [...rows.querySelectorAll(".row")].find((r) => r.offsetTop + r.offsetHeight > list.scrollTop + heads.offsetHeight) : null;
    const anchor = top ? [+top.dataset.at, top.offsetTop - list.scrollTop] : null;
    shown = strategies.map((_, s) => frameOf(s));
    itemize(shown);
    near.disconnect();
    blocks = [];
    const fresh = document.createDocumentFragment();
    for (let b = 0; b * BLOCK < items.length; b++) {
      const block = make("div");
      block.number = b;
      block.style.minHeight = `${Math.min(BLOCK, items.length - b * BLOCK) * HEIGHT}px`;
      blocks.push(block);
      fresh.append(block);
    }
    rows.replaceChildren(fresh);
    budget.textContent = budgets[state.budget] ?? "";
    slider.value = state.budget;
    slider.setAttribute("aria-valuetext", budgets[state.budget] ?? "");
    heads.replaceChildren(make("div", "", "message"), ...strategies.map(([name], s) => {
      const head = make("div", "", plain(name.length > 80 ? name.slice(0, 79) + "…" : name));
      const frame = shown[s];
      head.append(make("small", "", frame ? `${count(frame.size)} tokens · ${count([...frame.letters].filter((l) => l !== "d").length)} of ${count(messages.length)}` : "not measured"));
      return head;
    }));
    bars();
    if (anchor) {
      const place = items.findIndex((i) => i.at === anchor[0] || (i.word && i.from <= anchor[0] && anchor[0] < i.to));
      if (place >= 0) { const b = Math.floor(place / BLOCK); fill(b); const node = blocks[b].children[place % BLOCK]; list.scrollTop = node.offsetTop - anchor[1]; }
    } else list.scrollTop = 0;
    if (blocks.length && !blocks.some((b) => b.filled)) fill(0);
    blocks.forEach((b) => near.observe(b));
    ask();
  };
  const jump = (at) => {
    if (at < 0 || at >= messages.length) return;
    state.on = at;
    model.set("selected", messages[at].id);
    model.save_changes();
    itemize(shown);
    draw();
    const place = items.findIndex((i) => i.at === at);
    const b = Math.floor(place / BLOCK);
    fill(b);
    const node = blocks[b].children[place % BLOCK];
    list.scrollTop = node.offsetTop - list.clientHeight / 3;
  };

  // The questions, with what became of their evidence under each strategy.
  const asked = probes.map((probe, p) => {
    const button = make("button");
    button.type = "button";
    button.append(make("div", "", plain(probe.question)), make("small", "", plain(probe.answer)), make("div", "dots"));
    button.addEventListener("click", () => choose(p));
    side.append(button);
    return button;
  });
  const ask = () => {
    asked.forEach((button, p) => {
      button.classList.toggle("on", p === state.probe);
      button.lastChild.replaceChildren(...strategies.map(([name], s) => {
        const [word, letter] = outcome(frameOf(s, p), probes[p]);
        const dot = make("span", `dot fate-${letter}`, word);
        dot.title = name.slice(0, 120);
        return dot;
      }));
    });
  };
  const choose = (p) => {
    state.probe = p;
    model.set("probe", probes[p].id);
    model.save_changes();
    asked[p].scrollIntoView?.({ block: "nearest" });
    shown = strategies.map((_, s) => frameOf(s));
    if (probes[p].evidence.length) jump(probes[p].evidence[0]); else draw();
  };
  const setBudget = (b) => {
    state.budget = Math.min(budgets.length - 1, Math.max(0, b));
    model.set("budget", budgets[state.budget]);
    model.save_changes();
    const start = performance.now();
    draw();
    root.dataset.ms = (performance.now() - start).toFixed(1);
  };
  const find = (to) => {
    state.words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    state.hits = state.words.length ? low.flatMap((text, at) => (state.words.every((w) => text.includes(w)) ? [at] : [])) : [];
    hits.textContent = state.words.length ? `${count(state.hits.length)} found` : "";
    model.set("search", search.value);
    model.save_changes();
    if (state.hits.length && to) jump(state.hits[0]); else draw();
  };
  const hop = (step) => {
    if (!state.hits.length) return;
    const here = state.hits.indexOf(state.on);
    jump(state.hits[(here + step + state.hits.length) % state.hits.length]);
  };

  slider.addEventListener("input", () => setBudget(+slider.value));
  search.addEventListener("input", () => find(true));
  rows.addEventListener("click", (event) => {
    const folded = event.target.closest(".run");
    if (folded) { state.unfolded.add(+folded.dataset.from); draw(); return; }
    const chosen = event.target.closest(".row");
    if (!chosen || String(getSelection())) return;
    const at = +chosen.dataset.at;
    if (state.on === at) state.open.has(at) ? state.open.delete(at) : state.open.add(at);
    state.on = at;
    model.set("selected", messages[at].id);
    model.save_changes();
    draw();
  });
  const next = (step) => {
    const order = items.filter((i) => !i.word).map((i) => i.at);
    const here = order.indexOf(state.on);
    jump(order[Math.min(order.length - 1, Math.max(0, here < 0 ? 0 : here + step))] ?? -1);
  };
  const keys = {
    j: () => next(1), ArrowDown: () => next(1), k: () => next(-1), ArrowUp: () => next(-1),
    p: () => probes.length && choose((state.probe + 1) % probes.length),
    P: () => probes.length && choose((state.probe - 1 + probes.length) % probes.length),
    "]": () => setBudget(state.budget + 1), "[": () => setBudget(state.budget - 1),
    "/": () => search.focus(), n: () => hop(1), N: () => hop(-1),
    c: () => onlyChanged.box.click(), f: () => foldRuns.box.click(),
    Enter: () => { if (state.on >= 0) { state.open.has(state.on) ? state.open.delete(state.on) : state.open.add(state.on); draw(); } },
  };
  root.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.target === search) { if (event.key === "Escape") root.focus(); if (event.key === "Enter") hop(1); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    if (event.target === slider && event.key.startsWith("Arrow")) return;
    if (event.target.tagName === "BUTTON" && event.key === "Enter") return;
    event.preventDefault();
    keys[event.key]();
  });
  model.on("change:budget", () => { const b = budgets.indexOf(model.get("budget")); if (b >= 0 && b !== state.budget) { state.budget = b; draw(); } });
  model.on("change:probe", () => { const p = probes.findIndex((one) => one.id === model.get("probe")); if (p >= 0 && p !== state.probe) choose(p); });
  model.on("change:selected", () => { const at = messages.findIndex((m) => m.id === model.get("selected")); if (at >= 0 && at !== state.on) jump(at); });
  model.on("change:search", () => { if (model.get("search") !== search.value) { search.value = model.get("search"); find(true); } });
  search.value = model.get("search") || "";
  if (search.value) find(false); else draw(false);
  return () => near.disconnect();
}
export default { render };
