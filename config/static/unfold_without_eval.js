// The admin's pages (django-unfold) on Alpine's build without eval: what their attributes say beyond
// the expressions that it reads. tests/browser/test_admin_without_eval.py opens every page with this.
"use strict";
(() => {
  const OTHER_WORDS = [
    [/^\s*activeTab = (.*?);\s*\$watch\('sidebarDesktopOpen'[\s\S]*$/, "startPage($1)"],
    [/^(sidebarDesktopOpen = !sidebarDesktopOpen);.*$/, "$1"],
    [/^openSearchResults = false; if .*$/, "leaveSearch()"],
    [/^openSearchResults = true; currentIndex = 0$/, "[openSearchResults = true, currentIndex = 0]"],
    [/^if \((.*?)\) (selectItem\(.*\))$/, "$1 && $2"],
  ];

  function inOtherWords(value) {
    if (typeof value !== "string") return value; // bound by a program, not by an attribute
    return OTHER_WORDS.reduce((said, [pattern, words]) => said.replace(pattern, words), value);
  }

  // Globals are closed to attributes; these are the three that unfold's use, with what they use of them.
  const page = {
    get location() {
      const { pathname, search } = window.location;
      return { pathname, search };
    },
  };
  const kept = {
    getItem: (name) => window.localStorage.getItem(name),
    setItem: (name, value) => window.localStorage.setItem(name, value),
  };

  function startPage(tab) {
    this.activeTab = tab;
    this.$watch("sidebarDesktopOpen", (isOpen) =>
      window.localStorage.setItem("sidebarDesktopOpen", isOpen ? "1" : "0"),
    );
  }

  function leaveSearch() {
    this.openSearchResults = false;
    if (this.$refs.searchInput.value === "") this.$refs.searchInput.blur();
    else this.$refs.searchInput.value = "";
  }

  document.addEventListener("alpine:init", () => {
    const { Alpine } = window;
    Alpine.mapAttributes(({ name, value }) => ({ name, value: inOtherWords(value) }));
    Alpine.data("theme", (chosen) => ({
      ...theme(chosen),
      window: page,
      localStorage: kept,
      getCurrentTab: () => getCurrentTab(),
      sortRecords: (event) => sortRecords(event),
      moveRecords: (event) => moveRecords(event),
      startPage,
      leaveSearch,
    }));
    Alpine.data("searchForm", () => searchForm());
    Alpine.data("searchDropdown", () => searchDropdown());
    Alpine.data("searchCommand", () => searchCommand());
  });
})();
