(() => {
  const table = document.querySelector("table.areas");
  const body = table.querySelector("tbody.local");
  const rows = [...body.rows];
  const form = document.querySelector("form.search");
  const input = form.querySelector("input");
  const status = form.querySelector(".status");
  const wider = [...table.querySelector("tbody.national").rows];
  const fold = (text) => text.normalize("NFKD").toLowerCase().replace(/&/g, " and ")
    .replace(/[\u0300-\u036f.,'’]/g, "").replace(/[\s\-–]+/g, " ").trim();
  const named = (row) => (row.cells[0].querySelector("a") || row.cells[0].firstChild).textContent;
  const texts = rows.map((row) => " " + fold([named(row), row.dataset.also || "", row.cells[1].textContent].join(" ")));
  let order = "";

  const tell = () => {
    const shown = rows.filter((row) => !row.hidden).length;
    status.textContent = `${shown} of ${rows.length} areas${order}`;
  };
  const search = () => {
    const wanted = fold(input.value);
    rows.forEach((row, i) => { row.hidden = !texts[i].includes(` ${wanted}`); });
    wider.forEach((row) => { row.hidden = wanted !== "" && (wanted.length < 3 || !fold(named(row)).startsWith(wanted)); });
    tell();
  };
  const value = (row, column) => {
    const cell = row.cells[column];
    if (!("value" in cell.dataset)) return fold(cell.textContent);
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  };
  const sort = (column, down, heading) => {
    const sign = down ? -1 : 1;
    const sorted = rows.map((row, i) => [value(row, column), i, row]).sort((a, b) => {
      if (a[0] === null || b[0] === null) return (a[0] === null) - (b[0] === null) || a[1] - b[1];
      return (a[0] < b[0] ? -sign : a[0] > b[0] ? sign : 0) || a[1] - b[1];
    });
    body.append(...sorted.map((entry) => entry[2]));
    const way = typeof sorted[0][0] === "string" ? (down ? "Z to A" : "A to Z") : (down ? "highest first" : "lowest first");
    order = `, sorted by ${heading}, ${way}`;
    tell();
  };

  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = cell.textContent;
    cell.replaceChildren(button);
    button.addEventListener("click", () => {
      const before = cell.getAttribute("aria-sort");
      const down = before ? before === "ascending" : cell.classList.contains("number");
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(column, down, button.textContent);
    });
  });
  headings[0].setAttribute("aria-sort", "ascending");
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", search);
  tell();

  const map = document.querySelector(".map");
  const shapes = [...map.querySelectorAll("path[role]")];
  const rings = [...map.querySelectorAll(".ring")];
  const pointed = map.querySelector(".pointed");
  const choices = document.querySelector("form.measures");
  const measures = [...map.querySelectorAll(".measure")];
  const patterns = [...map.querySelectorAll(".pattern")];
  const rowOf = new Map(rows.map((row) => [row.dataset.code, row]));
  const at = new Map(shapes.map((shape) => [shape, shape.dataset.at.split(" ").map(Number)]));
  let measure = 0;
  let chosen = null;

  const parts = (shape) => {
    const row = rowOf.get(shape.dataset.code);
    const link = row.cells[0].querySelector("a");
    return [named(row), row.cells[Number(measures[measure].dataset.column)].textContent, link];
  };
  const ring = (shape) => rings.forEach((it) => it.setAttribute("d", shape ? shape.getAttribute("d") : ""));
  const point = (shape) => {
    if (!shape) return;
    const [name, figure, link] = parts(shape);
    const strong = document.createElement("strong");
    strong.textContent = name;
    pointed.replaceChildren(strong, `${measures[measure].dataset.what}: ${figure} `);
    if (link) {
      const onward = link.cloneNode();
      onward.textContent = `Report of ${name}`;
      pointed.append(document.createElement("br"), onward);
    }
    ring(shape);
  };
  const choose = (shape) => {
    shapes.forEach((it) => { it.tabIndex = -1; });
    shape.tabIndex = 0;
    chosen = shape;
    point(shape);
  };
  const shade = () => {
    measures.forEach((it, i) => { it.hidden = i !== measure; });
    patterns.forEach((it, i) => { it.hidden = i !== measure; });
    shapes.forEach((shape) => {
      const [name, figure] = parts(shape);
      shape.setAttribute("class", `kind-${shape.dataset.kinds.split(" ")[measure]}`);
      shape.setAttribute("aria-label", `${name}: ${figure}`);
    });
    point(chosen);
  };
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const next = (from, [dx, dy]) => {
    const [x, y] = at.get(from);
    let best = null;
    let least = Infinity;
    shapes.forEach((shape) => {
      const [u, v] = at.get(shape);
      const along = (u - x) * dx + (v - y) * dy;
      const aside = Math.abs((u - x) * dy) + Math.abs((v - y) * dx);
      if (along > 0 && aside <= 2 * along && along + 2 * aside < least) [best, least] = [shape, along + 2 * aside];
    });
    return best;
  };
  shapes.forEach((shape, i) => {
    shape.tabIndex = i ? -1 : 0;
    shape.addEventListener("pointerenter", () => point(shape));
    shape.addEventListener("focus", () => choose(shape));
    shape.addEventListener("click", () => { choose(shape); shape.focus(); });
    shape.addEventListener("keydown", (event) => {
      const to = ways[event.key] ? next(shape, ways[event.key])
        : event.key === "Home" ? shapes[0] : event.key === "End" ? shapes[shapes.length - 1] : null;
      if (ways[event.key] || to) event.preventDefault();
      if (to) to.focus();
    });
  });
  map.querySelector("svg").addEventListener("pointerleave", () => { if (chosen) point(chosen); });
  choices.addEventListener("change", () => {
    measure = Number(choices.elements.measure.value);
    shade();
  });
  choices.addEventListener("submit", (event) => event.preventDefault());
  choices.hidden = false;
  choices.reset();
  pointed.hidden = false;
})();
