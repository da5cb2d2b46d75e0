/** The policy as people write, export and import it (JSON): schema and validation. */
import { z } from 'zod'
import { PreauError } from '../errors.ts'
import { faultOf, inBoth } from '../schema-faults.ts'
import { parseCidr } from './address.ts'
import type { Catalogue } from './category.ts'
import { parseHumanHost, type Host } from './host.ts'
import { brokenReference } from './policy-references.ts'
import { hoursSchema, isTimeZone } from './schedule.ts'
import { lineOfText } from './unprintable.ts'

const MAX_TEXT = 200
const text = lineOfText(MAX_TEXT)
const id = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,31}$/,
    inBoth('32 lettres minuscules, chiffres ou "-" au plus', 'at most 32 of a-z, 0-9, "-"'),
  )
const host = z
  .string()
  .max(253)
  .transform((value, context): Host => {
    const parsed = parseHumanHost(value)
    if (parsed !== undefined) return parsed
    context.addIssue({
      code: 'custom',
      message: inBoth('un nom de site ou une adresse', 'a host name or an address'),
    })
    return z.NEVER
  })
const cidr = z.string().refine(value => parseCidr(value) !== undefined, {
  error: inBoth('un réseau tel que "10.1.2.0/24"', 'a CIDR such as "10.1.2.0/24"'),
})

const profileSchema = z.strictObject({
  id,
  label: z.strictObject({ fr: text, en: text }),
  /** `allow-only`: nothing opens but what a grant or a local rule allows. */
  mode: z.enum(['open', 'allow-only']).default('open'),
  /** Whether an address may stand in place of a name: it escapes every list of names. */
  addresses: z.enum(['allow', 'block']).default('block'),
  /** What a tunnel to port 443 may carry: TLS, whose first message names the site, or anything. */
  tunnels: z.enum(['tls', 'any']).default('tls'),
  /** Whether a page of plain HTTP may open a WebSocket; what passes in one is seen by no list. */
  webSockets: z.enum(['allow', 'block']).default('allow'),
  blocked: z.array(id.or(z.string().max(64))).default([]),
  warned: z.array(id.or(z.string().max(64))).default([]),
  /** Opening hours; null: always open. */
  hours: hoursSchema.nullable().default(null),
})

const roomSchema = z.strictObject({
  name: text,
  profile: id,
  networks: z.array(cidr).min(1).max(256),
})
const siteSchema = z.strictObject({
  /** The school's UAI: 7 digits and a letter. */
  uai: z
    .string()
    .regex(
      /^\d{7}[A-Z]$/,
      inBoth('un UAI : 7 chiffres et une lettre capitale', 'a UAI: 7 digits and a capital letter'),
    ),
  name: text,
  rooms: z.array(roomSchema).min(1).max(1_000),
})

/** Rules of a city at most. */
export const MAX_RULES = 50_000

const ruleSchema = z
  .strictObject({
    host,
    /** `classify` and `declassify` correct what the lists say: the host is, or is not, of `category`. */
    action: z.enum(['allow', 'block', 'classify', 'declassify']),
    category: z.string().max(64).optional(),
    /** The UAI of the only school concerned; absent: the whole city. */
    site: z.string().optional(),
    /** Read by all: the block page of a rule that closes a site shows it. */
    reason: text.optional(),
    /** Read by those who run the filter only. */
    note: text.optional(),
    /** With `allow`: a tunnel to port 443 of this host may carry something other than TLS. */
    tunnels: z.literal('any').optional(),
    /** The last civil day on which it acts; absent: for good. */
    until: z.iso.date().optional(),
    by: text.optional(),
    at: z.iso.datetime().optional(),
  })
  .superRefine(({ action, category, tunnels, reason, note }, context) => {
    const isCorrection = action === 'classify' || action === 'declassify'
    const issue = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message })
    const notWith = inBoth(`pas avec "${action}"`, `not with "${action}"`)
    if (isCorrection !== (category !== undefined))
      issue(
        'category',
        isCorrection ? inBoth('une catégorie est nécessaire', 'a category is needed') : notWith,
      )
    if (tunnels !== undefined && action !== 'allow') issue('tunnels', notWith)
    // It opens what a trusted third party closed, even for good: whoever reads the journal must find out why.
    if (action === 'declassify' && reason === undefined && note === undefined)
      issue('note', inBoth('une raison ou une note est nécessaire', 'a reason or a note is needed'))
  })

const policySchema = z.strictObject({
  version: z.literal(1),
  city: z.strictObject({
    name: text,
    timeZone: z.string().refine(isTimeZone, {
      error: inBoth(
        'un fuseau horaire tel que "Europe/Paris"',
        'a time zone such as "Europe/Paris"',
      ),
    }),
    /** Shown on the block page: whom to call. */
    contact: text.optional(),
  }),
  profiles: z.array(profileSchema).min(1).max(64),
  sites: z.array(siteSchema).max(5_000),
  /** PCs of no network of any school: refused, unless the city serves them by its strictest profile. */
  unknown: z.enum(['refuse', 'strictest']).optional(),
  rules: z.array(ruleSchema).max(MAX_RULES).default([]),
  /** Categories whose expressions act: they are matched against whole addresses, and some are crude. */
  expressions: z.array(z.string().max(64)).max(200).default([]),
})

export type PolicyDocument = z.infer<typeof policySchema>
export type ProfileDocument = z.infer<typeof profileSchema>
export type LocalRule = z.infer<typeof ruleSchema>

/** Validates a policy read from outside. Throws PREAU_POLICY_INVALID naming the path of the first wrong value. */
export function parsePolicy(input: unknown, catalogue: Catalogue): PolicyDocument {
  const parsed = policySchema.safeParse(input)
  if (!parsed.success) {
    throw new PreauError('PREAU_POLICY_INVALID', {
      ...faultOf(parsed.error, policySchema, input),
    })
  }
  const broken = brokenReference(parsed.data, catalogue)
  if (broken !== undefined) throw new PreauError('PREAU_POLICY_INVALID', broken)
  return parsed.data
}
