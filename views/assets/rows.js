// Rows of the pending list.

/** Takes a row away; the focus goes to its neighbour rather than to nowhere. */
export function removeRow(row) {
  if (row.contains(document.activeElement)) {
    const next = row.nextElementSibling ?? row.previousElementSibling
    if (next) next.focus()
    else document.getElementById('main').focus()
  }
  row.remove()
}
