// Keys only: "/" goes to the search, "g" and a letter to a section, Escape leaves a field. Pages work without this.
(() => {
  let wantsPlace = false;
  const isField = (node) => node.matches("input, select, textarea, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isField(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (wantsPlace) {
      wantsPlace = false;
      const link = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
      if (link) link.click();
      return;
    }
    if (event.key === "g") wantsPlace = true;
    const search = document.querySelector("[data-search]");
    if (event.key === "/" && search) {
      event.preventDefault();
      search.focus();
    }
  });
})();
