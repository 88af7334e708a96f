// The page of a model: a way to give each input, and the answer to it. Everything that is shown goes in as text.

const PAUSE_MS = 180; // after the last change, before the model is asked
const MARGIN = 0.08; // around an example that is drawn on the pad
const MOST_BYTES = 24 * 2 ** 20; // of a file; as text it is a third longer

history.replaceState(null, "", "/"); // the token is a cookie now, and needs not stand in the address

const model = await (await fetch("/model")).json();
const form = document.getElementById("asked");
const answer = document.getElementById("answer");
const fields = new Map(); // by column: {value(): a value or undefined while nothing is given, set(value)}
let asked = 0, timer = 0;

function make(tag, facts = {}, ...children) {
  const made = Object.assign(document.createElement(tag), facts);
  made.append(...children);
  return made;
}

// ---- asking ------------------------------------------------------------------------------------------------------

function changed() {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE_MS);
}

async function ask() {
  const mine = ++asked, cells = {};
  for (const [name, field] of fields) {
    const value = field.value();
    if (value === undefined) return answer.classList.remove("busy");
    cells[name] = value;
  }
  answer.classList.add("busy");
  let told;
  try {
    const given = await fetch("/answer", { method: "POST", body: JSON.stringify(cells) });
    told = given.headers.get("content-type")?.includes("json") ? await given.json() : { error: await given.text() };
  } catch {
    told = { error: "The program that serves this page has ended.", try: "Start netwright serve again." };
  }
  if (mine === asked) show(told); // an answer that was overtaken is not shown
}

function show(told) {
  answer.classList.remove("busy");
  if (told.error) {
    answer.replaceChildren(make("p", { className: "error", textContent: told.error }),
      make("p", { className: "cure", textContent: told.try ?? "" }));
    return;
  }
  const parts = [];
  for (const { name } of model.outputs) {
    const { words, written, shares } = told.outputs[name];
    parts.push(make("p", { className: "name", textContent: name }));
    if (written !== undefined) parts.push(make("p", { className: "written", dir: "auto" }, make("b", { textContent: words }), written));
    else parts.push(make("p", { className: words ? "words" : "words empty", textContent: words || "nothing" }));
    if (shares) parts.push(make("ul", { className: "shares" }, ...shares.map(bar)));
  }
  parts.push(...told.notes.map((note) => make("p", { className: "note", textContent: note })));
  answer.replaceChildren(...parts);
}

function bar([label, share]) {
  return make("li", {}, make("bdi", { textContent: label, title: label }), make("meter", { value: share ?? 0, ariaLabel: label }),
    make("span", { className: "n", textContent: share === null ? "" : `${(100 * share).toFixed(1)} %` }));
}

// ---- ways to give something --------------------------------------------------------------------------------------

function field(name, input) {
  if (input.kind === "ink") return pad(name, input.timed);
  if (input.file) return file(name, input.kind);
  if (input.choices.length) return choice(name, input.choices);
  const blank = input.kind === "tags" ? "" : input.missing ? null : undefined;
  if (input.list) return line(name, make("textarea", { placeholder: "a list in JSON" }), blank, JSON.parse);
  if (input.kind === "text") return line(name, make("textarea", { dir: "auto" }), blank);
  const number = input.kind === "number" || input.columns.length > 1;
  return line(name, make("input", { inputMode: number ? "decimal" : "text" }), blank);
}

function labelled(name, box) {
  box.id = `field ${name}`;
  return make("div", { className: "field" }, make("label", { htmlFor: box.id, textContent: name }), box);
}

// What an empty box stands for: nothing yet (undefined), a missing value (null), or the empty text.
function line(name, box, blank, read = (text) => text) {
  box.addEventListener("input", changed);
  const shown = labelled(name, box);
  const value = () => {
    try {
      return box.value === "" ? blank : read(box.value);
    } catch {
      return box.value; // the model says what is wrong with it
    }
  };
  const set = (given) => { box.value = given === null ? "" : typeof given === "object" ? JSON.stringify(given) : `${given}`; };
  return { shown, value, set };
}

function choice(name, choices) {
  const options = choices.map((label) => make("option", { textContent: label || "(missing)" }));
  const box = make("select", {}, make("option", { textContent: "choose" }), ...options);
  box.addEventListener("change", changed);
  const value = () => (box.selectedIndex ? choices[box.selectedIndex - 1] : undefined); // by place: a class may be ""
  return { shown: labelled(name, box), value, set: (given) => { box.selectedIndex = choices.indexOf(`${given}`) + 1; } };
}

function file(name, kind) {
  let held;
  const view = kind === "image" ? make("img", { hidden: true, alt: "" }) : make("audio", { hidden: true, controls: true });
  const button = make("input", { type: "file", accept: `${kind}/*`, id: `field ${name}` });
  const area = make("div", { className: "drop" }, `Drop ${kind === "image" ? "a picture" : "a sound"} here, or `, button, view);
  const take = async (given) => {
    if (given?.size > MOST_BYTES) return show({ error: "At most 24 MB are read at once.", try: "Give a smaller file." });
    if (given) set({ base64: await base64(given) }, given);
    changed();
  };
  const set = (cell, blob) => {
    held = cell;
    URL.revokeObjectURL(view.src);
    view.src = URL.createObjectURL(blob ?? file_of(cell));
    view.hidden = false;
  };
  button.addEventListener("change", () => take(button.files[0]));
  for (const [event, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    area.addEventListener(event, (happened) => {
      happened.preventDefault();
      area.classList.toggle("over", over);
      if (event === "drop") take(happened.dataTransfer.files[0]);
    });
  }
  const shown = make("div", { className: "field" }, make("label", { htmlFor: button.id, textContent: name }), area);
  return { shown, value: () => held, set };
}

const file_of = (cell) => new Blob([Uint8Array.from(atob(cell.base64), (letter) => letter.charCodeAt(0))]);

function base64(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
}

// ---- a pad to write on -------------------------------------------------------------------------------------------

function pad(name, timed) {
  let strokes = []; // of points [x, y] in shares of the pad's height, y down as on the screen; and perhaps milliseconds
  const canvas = make("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${name}: write here with mouse, pen or finger`);
  const flip = make("input", { type: "checkbox", checked: true, id: `flip ${name}` });
  const clear = make("button", { type: "button", textContent: "Clear" });
  const undo = make("button", { type: "button", textContent: "Take back a stroke" });
  const shown = make("div", { className: "field pad" }, make("span", { className: "label", textContent: `${name}: write here` }),
    canvas, make("div", { className: "tools" }, clear, undo,
      make("label", { htmlFor: flip.id }, flip, " y grows upwards in the data: if the examples below stand on their heads, change it")));
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const point = [(event.clientX - box.left) / box.height, (event.clientY - box.top) / box.height];
    return timed ? [...point, event.timeStamp] : point;
  };
  const redraw = () => draw(canvas, strokes);
  const edited = () => { redraw(); changed(); };
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button) return; // a palm, a second finger, another button
    canvas.setPointerCapture(event.pointerId);
    strokes.push([place(event)]);
    redraw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.isPrimary || !canvas.hasPointerCapture(event.pointerId)) return;
    const between = event.getCoalescedEvents?.() ?? [];
    strokes.at(-1)?.push(...(between.length ? between : [event]).map(place));
    redraw();
  });
  canvas.addEventListener("pointerup", changed);
  canvas.addEventListener("pointercancel", changed);
  clear.addEventListener("click", () => { strokes = []; edited(); answer.replaceChildren(); });
  undo.addEventListener("click", () => { strokes.pop(); edited(); });
  flip.addEventListener("change", () => { offer(); changed(); });
  new ResizeObserver(redraw).observe(canvas);
  const value = () => {
    const kept = strokes.filter((stroke) => stroke.length);
    if (!kept.length) return undefined;
    const learned = model.examples.map((example) => example[name]).filter(Boolean);
    return JSON.stringify(spaced(kept, learned).map((stroke) => stroke.map(([x, y, ...time]) => [x, flip.checked ? -y : y, ...time])));
  };
  const set = (given) => { strokes = fitted(given, flip.checked, canvas.clientWidth / canvas.clientHeight); redraw(); };
  const picture = (given) => {
    const small = make("canvas", { width: 220, height: 88 });
    draw(small, fitted(given, flip.checked, 2.5));
    return small;
  };
  return { shown, value, set, picture };
}

// Strokes with points as far apart as those that the model learned from, or as many where all have the same number: a
// mouse tells hundreds where a tablet's data may keep eight.
function spaced(strokes, learned) {
  const counts = learned.map((given) => given.flat().length);
  if (!counts.length) return strokes;
  const single = learned.every((given) => given.length === 1);
  if (counts.length > 1 && single && counts.every((count) => count === counts[0])) return [evenly(strokes.flat(), counts[0])];
  const steps = learned.filter((given) => given.flat().length > 1).map((given) => {
    const drawn = fitted(given, false, 1e9);
    return drawn.reduce((sum, stroke) => sum + way(stroke), 0) / given.flat().length / tall(drawn);
  });
  const step = steps.sort((one, other) => one - other)[steps.length >> 1] * tall(strokes);
  return strokes.map((stroke) => evenly(stroke, Math.max(1, Math.round(way(stroke) / step) + 1)));
}

function tall(strokes) {
  const [wide, high] = [0, 1].map((axis) => strokes.flat().map((point) => point[axis])).map((all) => Math.max(...all) - Math.min(...all));
  return Math.max(high, wide / 4) || 1; // of a dash, which has no height, a quarter of its width
}

const apart = ([x, y], [u, v]) => Math.hypot(x - u, y - v);
const way = (stroke) => stroke.reduce((sum, point, at) => sum + (at ? apart(stroke[at - 1], point) : 0), 0);

// So many points at equal distances along a line; both ends stay.
function evenly(line, count) {
  const whole = way(line), found = [line[0]];
  for (let at = 1, gone = 0; at < line.length && found.length < count; at++) {
    const length = apart(line[at - 1], line[at]);
    while (found.length < count - 1 && gone + length >= (whole * found.length) / (count - 1)) {
      const share = ((whole * found.length) / (count - 1) - gone) / (length || 1);
      found.push(line[at].map((end, axis) => line[at - 1][axis] + share * (end - line[at - 1][axis])));
    }
    gone += length;
  }
  if (count > 1) found.push(line.at(-1));
  return found;
}

// Strokes of the data as strokes that fill a pad so many times as wide as high.
function fitted(given, upwards, wide) {
  const xs = given.flat().map(([x]) => x), ys = given.flat().map(([, y]) => (upwards ? -y : y));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - left, Math.max(...ys) - top];
  const scale = Math.min((1 - 2 * MARGIN) / (height || 1), (wide - 2 * MARGIN) / (width || 1));
  const across = (x) => (wide - width * scale) / 2 + (x - left) * scale;
  const down = (y) => (1 - height * scale) / 2 + ((upwards ? -y : y) - top) * scale;
  return given.map((stroke) => stroke.map(([x, y, ...time]) => [across(x), down(y), ...time]));
}

function draw(canvas, strokes) {
  if (canvas.isConnected && canvas.clientWidth) {
    const fine = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * fine;
    canvas.height = canvas.clientHeight * fine;
  }
  const pen = canvas.getContext("2d"), unit = canvas.height;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.strokeStyle = pen.fillStyle = getComputedStyle(document.body).color;
  pen.lineWidth = Math.max(1.5, unit / 70);
  pen.lineCap = pen.lineJoin = "round";
  for (const stroke of strokes) {
    pen.beginPath();
    stroke.forEach(([x, y]) => pen.lineTo(x * unit, y * unit));
    if (stroke.length === 1) pen.arc(stroke[0][0] * unit, stroke[0][1] * unit, pen.lineWidth / 2, 0, 7);
    pen.stroke();
  }
}

// ---- real examples -----------------------------------------------------------------------------------------------

function offer() {
  const list = document.querySelector("#offered ul");
  list.replaceChildren(...model.examples.map((example, number) => {
    const shown = sign(example);
    const button = make("button", { type: "button", ariaLabel: typeof shown === "string" ? null : `example ${number + 1}` }, shown);
    button.addEventListener("click", () => {
      for (const [name, value] of Object.entries(example)) give(name, value);
      changed();
    });
    return make("li", {}, button);
  }));
  document.getElementById("offered").hidden = !model.examples.length;
}

function give(name, value) {
  const columns = model.inputs.find((input) => input.name === name)?.columns ?? [name];
  columns.forEach((column, at) => fields.get(column)?.set(columns.length > 1 ? value[at] : value));
}

function sign(example) {
  for (const input of model.inputs) {
    const value = example[input.name];
    if (input.kind === "ink" && value) return fields.get(input.name).picture(value);
    if (input.kind === "image" && value?.base64) {
      return make("img", { src: URL.createObjectURL(file_of(value)), alt: "" });
    }
  }
  const words = Object.values(example).flat().filter((value) => ["string", "number"].includes(typeof value));
  return words.join(", ") || "an example";
}

document.title = `${model.title}, netwright`;
document.getElementById("title").textContent = model.title;
for (const input of model.inputs) {
  const made = input.columns.map((column) => {
    const one = field(column, input);
    fields.set(column, one);
    return one.shown;
  });
  form.append(made.length > 1 ? make("div", { className: "columns" }, ...made) : made[0]);
}
form.addEventListener("submit", (event) => event.preventDefault());
offer();
