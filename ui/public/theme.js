// SPDX-License-Identifier: Apache-2.0
/* Before the first paint: the theme that was chosen here, so that nothing flashes. */
(function () {
  try {
    var theme = localStorage.getItem('weft.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch (e) {
    /* Storage is off: the system's theme it is. */
  }
})();
