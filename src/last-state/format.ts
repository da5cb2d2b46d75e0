/** What stands in `last-state.json`: the least that deciding needs, under a checksum, and checked like anything from outside. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Catalogue } from '../policy/category.ts'
import type { Grant } from '../policy/grant.ts'
import { parseHost, type Host } from '../policy/host.ts'
import type { ListsDocument } from '../policy/lists.ts'
import { parsePolicy, type PolicyDocument } from '../policy/policy-document.ts'

/** A record of the store with its version. */
export interface Versioned<T> {
  readonly version: number
  readonly body: T
}

/** What is decided by. */
export interface DecidingState {
  /** When the store has told it: epoch ms. */
  readonly at: number
  readonly policy: Versioned<PolicyDocument>
  readonly lists: Versioned<ListsDocument>
  /** Those in force then. */
  readonly grants: readonly Grant[]
}

// Any change of what stands in the file is another format: an older Préau, and a newer one, then leave it alone.
const HEAD = '{"format":"preau-last-state-1","sha256":"'
const MIDDLE = '","state":'
const TAIL = '}\n'
const DIGEST_LENGTH = 43
const MAX_GRANTS = 100_000

const count = z.int().nonnegative()
const perCategory = z.record(z.string().max(64), z.number())
/** A name below a folder of ours, never a way out of it. */
const plainName = z.string().regex(/^[a-z0-9][\w.-]{0,254}$/i)
const versionFields = {
  id: z.string().max(64),
  builtAt: z.number(),
  lists: z
    .array(
      z.strictObject({
        name: z.string().max(255),
        folder: plainName.nullable(),
        source: z.literal(''),
        importedAt: z.number(),
        contentAt: z.number().optional(),
        firstImportedAt: z.number(),
        since: perCategory,
        counts: perCategory,
        urls: perCategory,
        expressions: perCategory,
        refusedLines: count,
      }),
    )
    .max(10_000),
  index: plainName,
  hosts: count,
  starterDigest: z.string().max(128),
}
const host = z
  .string()
  .max(253)
  .refine(text => parseHost(text) !== undefined)
  .transform(text => text as Host)
const stateSchema = z.strictObject({
  at: z.number(),
  policy: z.strictObject({ version: z.int(), body: z.unknown() }),
  lists: z.strictObject({
    version: z.int(),
    body: z.strictObject({
      ...versionFields,
      activatedAt: z.number(),
      activatedBy: z.literal(''),
      previous: z.strictObject(versionFields).nullable(),
    }),
  }),
  grants: z
    .array(
      z.strictObject({
        id: z.string().max(64),
        host,
        scope: z.discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('pc'), ip: host }),
          z.strictObject({ kind: z.literal('room'), site: z.string(), room: z.string() }),
          z.strictObject({ kind: z.literal('site'), site: z.string() }),
          z.strictObject({ kind: z.literal('city') }),
        ]),
        origin: z.enum(['approved', 'acknowledged']),
        // Required: a grant that lost its end would be one for good.
        until: z.number().nullable(),
        categories: z.array(z.string().max(64)).optional(),
        opensNarrower: z.boolean().optional(),
      }),
    )
    .max(MAX_GRANTS),
})

/** The text of the file. */
export function encodeState({ at, policy, lists, grants }: DecidingState): string {
  const state =
    `{"at":${at},"policy":${textOf(policy, withoutAuthors)},` +
    `"lists":${textOf(lists, withoutPeople)},"grants":${JSON.stringify(grants.map(neededOf))}}`
  return `${HEAD}${digestOf(state)}${MIDDLE}${state}${TAIL}`
}

// Grants change all day and the rest seldom: a big policy is not put into words again for each of them.
const texts = new WeakMap<object, string>()

function textOf<T>(record: Versioned<T>, needed: (body: T) => T): string {
  let text = texts.get(record)
  if (text === undefined) {
    text = JSON.stringify({ version: record.version, body: needed(record.body) })
    texts.set(record, text)
  }
  return text
}

/** The state that a text tells. Throws when it is not, in every byte, what `encodeState` of this format has written. */
export function decodeState(text: string, catalogue: Catalogue): DecidingState {
  if (!text.startsWith(HEAD)) throw new SyntaxError('not a last state of this format')
  const begin = HEAD.length + DIGEST_LENGTH + MIDDLE.length
  const state = text.slice(begin, -TAIL.length)
  if (text !== `${HEAD}${digestOf(state)}${MIDDLE}${state}${TAIL}`)
    throw new SyntaxError('not whole, or changed since it was written')
  const { at, policy, lists, grants } = stateSchema.parse(JSON.parse(state))
  return {
    at,
    policy: { version: policy.version, body: parsePolicy(policy.body, catalogue) },
    lists,
    grants: grants.map((grant): Grant => ({ ...grant, by: '', at })),
  }
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url')

// What of a list does not act decides nothing either.
const plain = (infos: ListsDocument['lists']) =>
  infos.map(({ remarks: _remarks, ...info }) => ({ ...info, source: '' }))

/** Who made a rule, and when, decides nothing. */
function withoutAuthors(policy: PolicyDocument): PolicyDocument {
  return { ...policy, rules: policy.rules.map(({ by: _by, at: _at, ...rule }) => rule) }
}

/** Who put a version in force, and where its lists came from, decides nothing: it stays in the store. */
function withoutPeople(document: ListsDocument): ListsDocument {
  const { lists, previous } = document
  return {
    ...document,
    lists: plain(lists),
    activatedBy: '',
    previous: previous && { ...previous, lists: plain(previous.lists) },
  }
}

const neededOf = (grant: Grant) => {
  const { id, host: name, scope, origin, until, categories, opensNarrower } = grant
  return { id, host: name, scope, origin, until, categories, opensNarrower }
}
