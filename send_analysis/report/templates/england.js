(() => {
  const table = document.querySelector("table.areas");
  const body = table.querySelector("tbody.local");
  const rows = [...body.rows];
  const form = document.querySelector("form.search");
  const input = form.querySelector("input");
  const status = form.querySelector(".status");
  const fold = (text) => text.normalize("NFKD").toLowerCase().replace(/[\u0300-\u036f.,'’]/g, "").replace(/\s+/g, " ").trim();
  const texts = rows.map((row) => fold(row.cells[0].textContent + " " + row.cells[1].textContent));
  let order = "";

  const tell = () => {
    const shown = rows.filter((row) => !row.hidden).length;
    status.textContent = `${shown} of ${rows.length} areas${order}`;
  };
  const search = () => {
    const wanted = fold(input.value);
    rows.forEach((row, i) => { row.hidden = !texts[i].includes(wanted); });
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
})();
