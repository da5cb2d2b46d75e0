// What can no longer be taken back is not offered.
import { settling } from './settle.js'

export function forgetUndo(part) {
  for (const form of part.querySelectorAll('form[data-left-ms]')) {
    setTimeout(() => form.isConnected && settling(() => form.remove()), Number(form.dataset.leftMs))
  }
}
