/** What no name, reason or address needs and what could rewrite the line that it stands in (CWE-150). */
import { z } from 'zod'
import { inBoth } from '../schema-faults.ts'

/** Runs of control characters, line separators and bidirectional overrides. For `replace` only: with `g` it has a state. */
export const UNPRINTABLE =
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g

/** A text of one line and at most `max` characters, which may stand in logs, on pages and on terminals. */
export const lineOfText = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine(text => text.replace(UNPRINTABLE, '') === text, {
      error: inBoth('pas de caractères de contrôle', 'no control characters'),
    })
