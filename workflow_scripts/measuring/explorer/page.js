"use strict";
// What is shown stands in the address after "#": the filters by their names, `id`, and `row`, which names a completion.
// Every change goes through the address. Texts are set as text, never as HTML: a completion may hold anything.

const LISTED = 200; // completions on a page of the list
const LINES = 2000; // lines of a completion that are shown at once
const LONG = 4000; // characters of a line that are shown at once
const SIGNS = { "+": ["right", "✓"], "-": ["wrong", "✗"], ".": ["", "·"] };
const HEADS = { transcription: "tr", arithmetic: "ar", verdict: "ve", true: "true" };
const LABELS = {
  set: "rows of the set", answer: "answer", trace: "thought", failure: "first failure: kind", mark: "first failure: mark",
};

let table; // of all completions: words and columns
let names; // row -> the link that names it
let places; // link -> row
let found = []; // the rows that the filters leave, in order
let open = -1; // the row that is open
let listed = ""; // what the list shows now

const $ = (selector) => document.querySelector(selector);

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

const word = (name, row) => table.words[name][table.columns[name][row]];
const origin = (row) => {
  const [seed, sample] = [word("seed", row), table.columns.sample[row]];
  return [seed && `seed ${seed}`, word("decoder", row), sample && `sample ${sample}`].filter(Boolean);
};
const many = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

// Parts: scripts that hand over packed texts when they are asked for.

const loading = new Map(); // number -> { promise, resolve, reject }

function load(number) {
  if (!loading.has(number)) {
    const entry = {};
    entry.promise = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
    loading.set(number, entry);
    const script = make("script", { src: `parts/${number}.js` });
    script.addEventListener("error", () => {
      loading.delete(number);
      entry.reject(new Error(`parts/${number}.js cannot be read; the page needs its whole folder`));
    });
    script.addEventListener("load", () => script.remove());
    document.head.append(script);
  }
  return loading.get(number).promise;
}

function part(number, packed) {
  unpack(packed).then(loading.get(number).resolve, loading.get(number).reject);
}

async function unpack(packed) {
  if (!("DecompressionStream" in window)) throw new Error("this browser is too old to unpack the texts (2023 or later)");
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

async function texts(row) {
  let low = 0;
  for (let high = table.starts.length; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if (table.starts[middle][0] <= row) low = middle;
    else high = middle;
  }
  const [start, number] = table.starts[low];
  const [written, problems] = await Promise.all([load(number), load(table.columns.problem[row])]);
  return [written[row - start], problems[word("id", row)]];
}

// The address.

function wanted() {
  const given = new URLSearchParams(location.hash.slice(1));
  const filters = {};
  const unknown = [];
  for (const name of table.filters) {
    if (!given.has(name)) continue;
    const place = table.words[name].indexOf(given.get(name));
    if (place < 0) unknown.push(`${name} ${given.get(name)}`);
    else filters[name] = place;
  }
  return { filters, unknown, id: given.get("id") || "", row: given.get("row") };
}

function address(changes) {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of Object.entries(changes)) {
    if (value) given.set(name, value);
    else given.delete(name);
  }
  return `#${given.toString().replaceAll("%2F", "/")}`;
}

// The filters: how many completions each choice would leave, all other filters as they are.

function filter({ filters, id }) {
  const counts = Object.fromEntries(table.filters.map((name) => [name, table.words[name].map(() => 0)]));
  const chosen = Object.entries(filters);
  const fits = table.words.id.map((text) => text.includes(id));
  found = [];
  for (let row = 0; row < names.length; row++) {
    if (!fits[table.columns.id[row]]) continue;
    let fails = "";
    let misses = 0;
    for (const [name, place] of chosen) {
      if (table.columns[name][row] !== place) {
        fails = name;
        if (++misses > 1) break;
      }
    }
    if (misses === 0) {
      found.push(row);
      for (const name of table.filters) counts[name][table.columns[name][row]]++;
    } else if (misses === 1) counts[fails][table.columns[fails][row]]++;
  }
  return counts;
}

function showFilters({ filters, id }, counts) {
  for (const name of table.filters) {
    const select = $(`#filters [name="${name}"]`);
    if (!select) continue;
    const place = filters[name];
    for (const option of select.options) {
      if (option.value === "") continue;
      const n = counts[name][table.words[name].indexOf(option.value)];
      option.textContent = `${option.value || "(empty)"} (${n.toLocaleString("en")})`;
      option.hidden = n === 0 && table.words[name][place] !== option.value;
    }
    select.value = place === undefined ? "" : table.words[name][place];
    select.classList.toggle("chosen", place !== undefined);
  }
  const search = $('#filters [name="id"]');
  if (document.activeElement !== search) search.value = id;
  search.classList.toggle("chosen", id !== "");
}

function makeFilters() {
  const form = $("#filters");
  for (const name of table.filters) {
    if (table.words[name].length < 2) continue;
    const words = name === "arm" ? table.words[name] : [...table.words[name]].sort();
    const options = words.map((each) => make("option", { value: each }, each));
    const select = make("select", { name }, make("option", { value: "" }, "all"), ...options);
    form.append(make("label", {}, LABELS[name] || name, select));
  }
  form.append(make("label", {}, "id of a row", make("input", { name: "id", type: "search", spellcheck: "false" })));
  form.append(make("button", { type: "reset" }, "Reset"));
  form.addEventListener("input", (event) => location.replace(address({ [event.target.name]: event.target.value })));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    location.replace(address(Object.fromEntries([...table.filters, "id"].map((name) => [name, ""]))));
    $('#filters [name="id"]').value = "";
  });
}

// The list.

let page = 0;

function showList(filters) {
  const key = `${filters} ${page}`;
  const body = $("#list tbody");
  if (key !== listed) {
    listed = key;
    body.replaceChildren(...found.slice(page * LISTED, (page + 1) * LISTED).map(listRow));
    if (!found.length) body.append(make("tr", {}, make("td", { colspan: 4 }, "No completion is left by these filters.")));
    $(".scroll").scrollTop = 0;
  }
  for (const link of body.querySelectorAll("a")) {
    const chosen = Number(link.dataset.row) === open;
    link.toggleAttribute("aria-current", chosen);
    if (chosen) link.closest("tr").scrollIntoView({ block: "nearest" });
  }
  const last = Math.max(0, Math.ceil(found.length / LISTED) - 1);
  $("#page").textContent = `page ${page + 1} of ${last + 1}`;
  $("#earlier").disabled = page === 0;
  $("#later").disabled = page === last;
}

function listRow(row) {
  const answer = word("answer", row);
  const failure = word("failure", row);
  const link = make("a", { href: address({ row: names[row] }), "data-row": row }, word("id", row));
  return make(
    "tr", { onclick: (event) => event.target.closest("a") || link.click() },
    make("td", { class: answer === "right" ? "right" : "wrong" }, answer === "right" ? "✓ " : "✗ ", answer),
    make("td", {}, link, make("br"), make("small", {}, `${word("family", row)} ${word("stratum", row)}`)),
    make("td", {}, word("arm", row), make("br"), make("small", {}, origin(row).join(" "))),
    make("td", {}, failure === "none" ? word("trace", row) : failure, make("br"),
      make("small", {}, failure === "none" ? "" : word("mark", row))),
  );
}

// One completion.

async function show(row) {
  const detail = $("#detail");
  open = row;
  const [written, problem] = await texts(row);
  if (open !== row) return; // another was opened meanwhile
  const place = found.indexOf(row);
  const step = (by, text) => {
    const other = place < 0 ? undefined : found[place + by];
    return make("button", { type: "button", disabled: other === undefined, onclick: () => go(other) }, text);
  };
  const beside = make("input", { type: "checkbox", checked: Boolean(problem.rendered) });
  const lines = lineTable(written, problem);
  lines.classList.toggle("alone", !problem.rendered);
  beside.disabled = !problem.rendered;
  beside.addEventListener("change", () => lines.classList.toggle("alone", !beside.checked));
  detail.replaceChildren(
    make("nav", { "aria-label": "Completions" }, step(-1, "Previous"), step(1, "Next"),
      make("a", { href: address({ row: names[row] }) }, "Link to this completion")),
    make("h2", {}, `${word("id", row)} · ${word("family", row)}`),
    make("div", { class: "told" }, make("pre", { "aria-label": "Prompt" }, written.prompt), facts(row, written, problem)),
    others(row),
    make("label", {}, beside, problem.rendered ? " the rendered trace beside" : ` no rendered trace: ${problem.status || "not known"}`),
    lines,
  );
  detail.scrollTop = 0;
}

function facts(row, written, problem) {
  const answer = word("answer", row);
  const list = make("dl");
  const add = (name, ...value) => list.append(make("dt", {}, name), make("dd", {}, ...value));
  add("arm", [word("arm", row), ...origin(row)].join(" · "));
  add("design", word("design", row) || "none that is near");
  add("row", [`set ${word("set", row)}`, word("stratum", row)].filter(Boolean).join(" · "));
  add("answer", make("code", {}, problem.answer));
  add("was read", make("code", {}, written.read), " ", make("span", { class: answer === "right" ? "right" : "wrong" }, answer));
  if (written.finish) add("ended by", written.finish);
  const failure = word("failure", row);
  add("thought", word("trace", row), failure === "none" ? "" : `; first failure in line ${written.first}: ${failure} (${word("mark", row)})`);
  if (written.differs !== null) add("differs", `from the rendered trace first in line ${written.differs}`);
  if (problem.hidden) add("hidden line", make("code", {}, problem.hidden));
  add("hidden key", make("code", {}, plain(problem.key) || "none, or not known"));
  add("hidden rule", make("code", {}, plain(problem.rule) || "not known"));
  return list;
}

// {"a":1,"b":{"c":2}} as a=1 b: c=2
function plain(json) {
  const told = (value) => (value && typeof value === "object" ? Object.entries(value).map(([k, v]) => `${k}${v && typeof v === "object" ? ": " : "="}${told(v)}`).join(" ") : String(value));
  return json ? told(JSON.parse(json)) : "";
}

function others(row) {
  const same = [];
  for (let other = 0; other < names.length; other++) {
    if (other !== row && table.columns.id[other] === table.columns.id[row]) same.push(other);
  }
  const item = (other) => {
    const right = word("answer", other) === "right";
    return make("li", {}, make("span", { class: right ? "right" : "wrong" }, right ? "✓ " : "✗ "),
      make("a", { href: address({ row: names[other] }) }, names[other].split("/").filter((_, i) => i !== 4).join(" ")));
  };
  const list = make("details", {}, make("summary", {}, `${many(same.length, "other completion")} of this row`));
  if (!same.length) return "";
  list.addEventListener("toggle", () => list.children.length < 2 && list.append(make("ul", {}, ...same.map(item))));
  return list;
}

function lineTable(written, problem) {
  const lines = written.text.split("\n");
  const rendered = problem.rendered ? problem.rendered.split("\n") : [];
  const n = Math.max(lines.length, rendered.length);
  const heads = table.marks.map((mark) => make("th", { scope: "col", class: "m" }, make("abbr", { title: mark }, HEADS[mark])));
  const columns = ["n", ...table.marks.map(() => "m"), "text", "rendered"].map((name) => make("col", { class: name }));
  const body = make("tbody");
  const add = (from, to) => {
    for (let i = from; i < Math.min(to, n); i++) body.append(lineRow(i, lines[i], rendered[i], written, problem));
    if (n > to) {
      const more = make("tr", {}, make("td", { colspan: columns.length }, make("button", {
        type: "button",
        onclick: () => { more.remove(); add(to, to + 5 * LINES); },
      }, `Show more of ${many(n - to, "line")}`)));
      body.append(more);
    }
  };
  add(0, LINES);
  return make(
    "table", { class: "lines" }, make("colgroup", {}, ...columns),
    make("thead", {}, make("tr", {}, make("th", { scope: "col", class: "n" }, "line"), ...heads,
      make("th", { scope: "col" }, "completion"), make("th", { scope: "col", class: "rendered" }, "rendered trace"))),
    body,
  );
}

function lineRow(i, text, target, written, problem) {
  const [signs, kind] = (written.lines[i] || "").split(" ");
  const failed = kind && (kind.startsWith("malformed") ? "form" : table.marks[signs.indexOf("-")]);
  const first = i === written.first;
  const classes = [failed && `fails ${failed}`, first && "first", text !== undefined && !kind && "tag"].filter(Boolean);
  const marks = [...table.marks].map((mark, k) => {
    const [name, sign] = kind && failed !== "form" ? SIGNS[signs[k]] : ["", ""];
    return make("td", { class: `m ${name}`, "aria-label": name && `${mark} ${name}` }, sign);
  });
  return make(
    "tr", { class: classes.join(" ") || null, id: first ? "first" : null },
    make("td", { class: "n" }, String(i)), ...marks,
    make("td", { class: "text" }, first ? make("b", {}, `first failure: ${failed === "form" ? "no line of the design" : failed}`) : "",
      kind ? make("span", { class: "kind" }, kind) : "", ...(text === undefined ? [] : long(text))),
    make("td", { class: `rendered${text === target ? " same" : ""}` },
      i === written.differs && problem.rendered ? make("b", {}, "first difference") : "", ...(target === undefined ? [] : long(target))),
  );
}

// A very long line, of which more is shown on demand.
function long(text) {
  if (text.length <= LONG) return [text];
  const rest = make("button", { type: "button", onclick: () => rest.replaceWith(text.slice(LONG)) },
    `… ${many(text.length - LONG, "more character")}`);
  return [text.slice(0, LONG), rest];
}

// Together.

function go(row) {
  location.hash = address({ row: names[row] });
}

let before = null; // the filters that were shown last

async function update() {
  const want = wanted();
  const filters = JSON.stringify([want.filters, want.id]);
  if (filters !== before) {
    showFilters(want, filter(want));
    page = 0;
    before = filters;
  }
  open = want.row === null ? -1 : places.has(want.row) ? places.get(want.row) : -1;
  const place = open < 0 ? -1 : found.indexOf(open);
  if (place >= 0) page = Math.floor(place / LISTED);
  showList(filters);
  const rows = new Set(found.map((row) => table.columns.id[row])).size;
  const right = found.filter((row) => word("answer", row) === "right").length;
  const unknown = want.unknown.length ? ` Not in this run: ${want.unknown.join(", ")}.` : "";
  $("#summary").textContent =
    `${many(found.length, "completion")} of ${names.length.toLocaleString("en")}, on ${many(rows, "puzzle")}; ${right.toLocaleString("en")} right.${unknown}`;
  if (open >= 0) {
    try {
      await show(open);
    } catch (error) {
      $("#detail").replaceChildren(make("h2", {}, "These texts cannot be shown"), make("p", {}, error.message));
    }
  } else if (want.row !== null) {
    $("#detail").replaceChildren(make("h2", {}, "No such completion"), make("p", {}, `This run has none that is called ${want.row}.`));
  }
}

function turn(by) {
  page += by;
  showList(before);
}

// Called by rows.js.
function run(made) {
  table = made;
  names = table.columns.id.map((_, row) =>
    [...["arm", "seed", "decoder", "set", "id"].map((name) => word(name, row)), table.columns.sample[row]].join("/"));
  places = new Map(names.map((name, row) => [name, row]));
  document.title = `Explorer: ${table.title}`;
  $("h1").textContent = `Run ${table.title}`;
  makeFilters();
  $("#earlier").addEventListener("click", () => turn(-1));
  $("#later").addEventListener("click", () => turn(1));
  $("#list tbody").addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = by && Number(event.target.dataset.row);
    const other = by && found[found.indexOf(row) + by];
    if (other === undefined) return;
    event.preventDefault();
    go(other);
    requestAnimationFrame(() => $(`#list a[data-row="${other}"]`)?.focus());
  });
  window.addEventListener("hashchange", update);
  update();
}
