
"use strict";
(function () {
  const data = JSON.parse(document.getElementById("explanations").textContent);
  const SHOWN = 0.01; // weights below this get no number and no light
  const format = (weight) => weight.toFixed(2);
  const visible = (text) => (text.trim() ? text : "␣");

  for (const article of document.querySelectorAll("article.explanation")) {
    start(article, data[Number(article.dataset.index)]);
  }

  function start(article, sentence) {
    const tokens = { source: [], english: [] };
    for (const group of article.querySelectorAll(".tokens")) {
      tokens[group.dataset.side] = Array.from(group.querySelectorAll(".token"));
    }
    const headers = { source: [], english: [] };
    const status = article.querySelector(".status");
    const map = article.querySelector(".map");
    const select = article.querySelector("select.layer");
    const radios = Array.from(article.querySelectorAll("input[type=radio]"));
    let weights = chosenWeights(); // [T][S]
    let cells = null; // the map's cells [S][T], built when the map comes into view
    let held = null; // the token held by a click: {side, index}

    function chosenWeights() {
      if (!select) return [];
      const reading = radios.some((radio) => radio.checked && radio.value === "read");
      const layers = reading ? sentence.reading : sentence.attention;
      if (select.value !== "mean") return layers[Number(select.value)];
      return layers[0].map((row, t) =>
        row.map((_, s) => layers.reduce((sum, layer) => sum + layer[t][s], 0) / layers.length));
    }

    // The partners of a token, and their weights: a row of the attention for English, a column for the source.
    function partners(side, index) {
      if (!weights.length) return [];
      return side === "english" ? weights[index] : weights.map((row) => row[index]);
    }
    const other = (side) => (side === "source" ? "english" : "source");

    function clear() {
      for (const element of article.querySelectorAll(".lit, .here, [data-weight]")) {
        element.classList.remove("lit", "here");
        element.style.removeProperty("--w");
        element.removeAttribute("data-weight");
      }
      if (status) status.textContent = "";
    }

    function light(side, index) {
      clear();
      for (const mine of [tokens[side][index], headers[side][index]]) if (mine) mine.classList.add("here");
      const values = partners(side, index);
      const far = other(side);
      values.forEach((weight, i) => {
        if (weight < SHOWN) return;
        for (const theirs of [tokens[far][i], headers[far][i]]) {
          if (!theirs) continue;
          theirs.classList.add("lit");
          theirs.style.setProperty("--w", strength(weight));
        }
        if (tokens[far][i]) tokens[far][i].dataset.weight = format(weight);
      });
      describe(side, index, values);
    }

    function describe(side, index, values) {
      if (!status) return;
      const strongest = values.map((weight, i) => [weight, i]).filter(([weight]) => weight >= SHOWN)
        .sort((a, b) => b[0] - a[0] || a[1] - b[1]).slice(0, 5)
        .map(([weight, i]) => `${visible(sentence[other(side)][i])} ${format(weight)}`);
      const total = values.reduce((sum, weight) => sum + weight, 0);
      const verb = side === "source" ? "is attended by" : "attends to";
      status.textContent = `“${visible(sentence[side][index])}” ${verb} ` +
        (strongest.length ? `${strongest.join(" · ")} (total ${format(total)})` : "nothing");
    }

    function strength(weight) { return Math.min(1, Math.max(0, weight)).toFixed(3); }
    function rest() { if (held) light(held.side, held.index); else clear(); }

    // One tab stop a group; the arrow keys walk within it, in the direction the eye expects.
    function attend(elements, side, group, vertical) {
      elements.forEach((element, index) => {
        element.tabIndex = index === 0 ? 0 : -1;
        element.addEventListener("mouseenter", () => light(side, index));
        element.addEventListener("mouseleave", rest);
        element.addEventListener("focus", () => light(side, index));
        element.addEventListener("blur", rest);
        element.addEventListener("click", () => hold(side, index));
        element.addEventListener("keydown", (event) => {
          const step = stepOf(event.key, group, vertical, index, elements.length);
          if (step !== null) {
            event.preventDefault();
            element.tabIndex = -1;
            elements[step].tabIndex = 0;
            elements[step].focus();
          } else if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            hold(side, index);
          }
        });
      });
    }

    function stepOf(key, group, vertical, index, length) {
      const leftward = !vertical && getComputedStyle(group).direction === "rtl";
      const steps = { ArrowRight: leftward ? -1 : 1, ArrowLeft: leftward ? 1 : -1, ArrowDown: 1, ArrowUp: -1 };
      if (key === "Home") return 0;
      if (key === "End") return length - 1;
      if (!(key in steps)) return null;
      return Math.min(length - 1, Math.max(0, index + steps[key]));
    }

    function hold(side, index) {
      const same = held && held.side === side && held.index === index;
      held = same ? null : { side, index };
      light(side, index);
    }

    article.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      held = null;
      clear();
    });

    function header(text, scope) {
      const cell = document.createElement("th");
      const span = document.createElement("span");
      cell.scope = scope;
      cell.title = text;
      span.dir = "auto";
      span.textContent = visible(text);
      cell.append(span);
      return cell;
    }

    function buildMap() {
      const table = document.createElement("table");
      if (Math.max(sentence.source.length, sentence.english.length) > 24) table.className = "long";
      const top = table.createTHead().insertRow();
      const corner = document.createElement("th");
      corner.className = "corner";
      corner.textContent = "↓ source, English →";
      top.append(corner);
      headers.english = sentence.english.map((text) => top.appendChild(header(text, "col")));
      const body = table.createTBody();
      cells = sentence.source.map((text, s) => {
        const row = body.insertRow();
        headers.source[s] = row.appendChild(header(text, "row"));
        return sentence.english.map((_, t) => {
          const cell = row.insertCell();
          cell.addEventListener("mouseenter", () => point(s, t));
          cell.addEventListener("mouseleave", rest);
          return cell;
        });
      });
      attend(headers.english, "english", table, false);
      attend(headers.source, "source", table, true);
      paint();
      map.append(table);
    }

    function point(s, t) {
      clear();
      for (const element of [tokens.source[s], headers.source[s], tokens.english[t], headers.english[t]]) {
        element.classList.add("here");
      }
      status.textContent = `${sentence.english[t]} → ${sentence.source[s]}: ${weights[t][s].toFixed(4)}`;
    }

    function paint() {
      if (!cells) return;
      cells.forEach((row, s) => row.forEach((cell, t) => {
        cell.style.setProperty("--w", strength(weights[t][s]));
        cell.title = format(weights[t][s]);
      }));
    }

    function change() {
      weights = chosenWeights();
      paint();
      rest();
    }

    for (const side of ["source", "english"]) {
      if (tokens[side].length) attend(tokens[side], side, tokens[side][0].closest(".tokens"), false);
    }
    for (const control of [select, ...radios]) if (control) control.addEventListener("change", change);
    if (!map) return;
    // A map may be thousands of cells: pages of many sentences build all but the first when they come near the view.
    if (article.dataset.index === "0" || !("IntersectionObserver" in window)) return buildMap();
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      buildMap();
    }, { rootMargin: "600px" });
    observer.observe(map);
  }
})();
