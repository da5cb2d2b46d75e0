/** The part of the configuration that concerns lists: their sources, when they are fetched, and what makes an update wait. */
import { z } from 'zod'
import { MAX_CREDENTIAL } from './policy/credentials.ts'
import { isHttpUrl, LIST_NAME, MAX_SOURCE_URL, SOURCE_FORMATS } from './policy/list-source.ts'
import { inBoth } from './schema-faults.ts'

// Node waits one millisecond in place of anything longer.
const MAX_TIMEOUT_MS = 2 ** 31 - 1
const httpUrl = z
  .string()
  .max(MAX_SOURCE_URL)
  .refine(isHttpUrl, {
    error: inBoth(
      'une adresse http:// ou https:// sans mot de passe',
      'an http:// or https:// URL without a password',
    ),
  })

const sourceSchema = z.strictObject({
  name: z
    .string()
    .regex(
      LIST_NAME,
      inBoth(
        'minuscules, chiffres, ".", "_", "-", et pas "preau"',
        'small letters, digits, ".", "_", "-", and not "preau"',
      ),
    ),
  url: httpUrl,
  format: z.enum(SOURCE_FORMATS).default('auto'),
  category: z.string().max(64).nullable().default(null),
  enabled: z.boolean().default(true),
  credentials: z
    .strictObject({
      user: z.string().max(MAX_CREDENTIAL),
      password: z.string().max(MAX_CREDENTIAL),
    })
    .optional(),
})

const percent = (value: number, text: string) =>
  z.int().min(0).max(100_000).default(value).describe(text)
const hourUtc = (value: number, text: string) =>
  z.int().min(0).max(23).default(value).describe(text)

/** `lists` of the configuration: where lists come from, and what an update may change by itself. */
export const listsSchema = z.strictObject({
  sources: z
    .array(sourceSchema)
    .max(100)
    .refine(sources => new Set(sources.map(source => source.name)).size === sources.length, {
      error: inBoth('chaque nom une seule fois', 'each name once'),
    })
    .default([])
    .describe(
      'lists to fetch every night: `name`, `url`, `format`, `category`, `enabled`, `credentials` (`user`, `password`)',
    ),
  // UT1 asks not to be called from 8 h to 19 h GMT.
  fetchFromHourUtc: hourUtc(20, 'fetching begins after this hour (UTC)'),
  fetchToHourUtc: hourUtc(5, 'and before this one'),
  parentProxy: httpUrl
    .nullable()
    .default(null)
    .describe('proxy through which sources are fetched; null: the first way of `parents.routes`'),
  downloadBytes: z
    .int()
    .min(1)
    .default(2 ** 29)
    .describe('size of a download, beyond which it is given up'),
  downloadTimeoutMs: z
    .int()
    .min(1_000)
    .max(MAX_TIMEOUT_MS)
    .default(1_800_000)
    .describe('time for a whole download'),
  warnAfterDays: z
    .int()
    .min(1)
    .max(3_650)
    .default(10)
    .describe('a list whose source has been silent for so long is an alarm'),
  holdRemovedPercent: percent(10, 'an update that drops more of a category waits for a person'),
  holdAddedPercent: percent(30, 'an update that adds more to a category waits for a person'),
  holdFromHosts: z
    .int()
    .min(0)
    .default(100)
    .describe('changes of fewer hosts than this do not count as a percentage'),
  holdSeen: z
    .int()
    .min(0)
    .default(5)
    .describe('an update that closes or opens more of the hosts asked for here waits for a person'),
  rehearsalDays: z
    .int()
    .min(0)
    .max(365)
    .default(30)
    .describe('days of the access log that an update is tried on'),
})
