// Loaded before anything is painted, so that a chosen theme does not flash. Not inline: the
// collector's content security policy forbids inline scripts.
try {
  const theme = localStorage.getItem('spanloom.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // No storage: the system's theme it is.
}
