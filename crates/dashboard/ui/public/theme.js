// Before the first paint, so that nobody is dazzled: the theme that was chosen, if one was.
try {
  const theme = localStorage.getItem('wagate.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's theme it is.
}
