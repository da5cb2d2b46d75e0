/** A city in which every kind of entry decides about some site, and what is right for each. */
import type { Grant } from '../../src/policy/grant.ts'
import { host } from '../support/snapshot.ts'

/** PCs of the city, each with its own address of the loopback network. */
export const PC = {
  pupil: '127.0.1.1',
  granted: '127.0.1.9',
  elsewhere: '127.0.2.1',
  teacher: '127.0.3.1',
  night: '127.0.4.1',
  exam: '127.0.5.1',
  unknown: '127.0.9.1',
} as const
export type Pc = keyof typeof PC

const profile = (id: string, rest: object) => ({ id, label: { fr: id, en: id }, ...rest })
const room = (name: string, id: string, network: string) => ({
  name,
  profile: id,
  networks: [network],
})
export const POLICY = {
  version: 1,
  city: { name: 'Ville', timeZone: 'Europe/Paris' },
  profiles: [
    profile('pupils', { blocked: ['games', 'social_networks'], warned: ['shopping'] }),
    profile('teachers', { blocked: ['games'], addresses: 'allow' }),
    profile('night', { hours: [], blocked: ['games'] }),
    profile('exam', { mode: 'allow-only' }),
  ],
  sites: [
    {
      uai: '0750001A',
      name: 'École Jean-Moulin',
      rooms: [
        room('Salle 1', 'pupils', '127.0.1.0/24'),
        room('Salle des maîtres', 'teachers', '127.0.3.0/24'),
        room('Internat', 'night', '127.0.4.0/24'),
        room('Examen', 'exam', '127.0.5.0/24'),
      ],
    },
    {
      uai: '0750002B',
      name: 'École Rosa-Parks',
      rooms: [room('Salle 1', 'pupils', '127.0.2.0/24')],
    },
  ],
  rules: [
    { host: 'opened.example', action: 'allow' },
    { host: 'closed.example', action: 'block' },
    { host: 'lesson.example', action: 'declassify', category: 'adult', reason: 'un cours' },
    { host: 'named.example', action: 'classify', category: 'games' },
    { host: 'own.example', action: 'allow', site: '0750002B' },
    { host: 'over.example', action: 'allow', until: '2020-01-01' },
  ],
  expressions: ['games'],
}

const grant = (id: string, name: string, rest: Partial<Grant>): Grant => ({
  id,
  host: host(name),
  scope: { kind: 'city' },
  origin: 'approved',
  by: 'claire',
  at: 0,
  until: null,
  ...rest,
})
export const GRANTS = [
  grant('g1', 'granted.example', {}),
  grant('g2', 'pc.example', { scope: { kind: 'pc', ip: host(PC.granted) } }),
  grant('g3', 'room.example', { scope: { kind: 'room', site: '0750001A', room: 'Salle 1' } }),
  grant('g4', 'school.example', { scope: { kind: 'site', site: '0750002B' } }),
  grant('g5', 'past.example', { until: 1 }),
  grant('g6', 'adult.example', {}),
  grant('g8', 'wide.example', {}),
  grant('g9', 'read.example', { origin: 'acknowledged', categories: ['shopping'] }),
  grant('g7', 'games.example.translate.goog', {}),
]

/** What stands in the list, by file: before the update and after it. */
export const BEFORE = {
  'games/domains': ['old.example', 'stays.example', 'always.example'],
  'games/urls': ['pages-old.example/old'],
  'games/expressions': ['oldgame'],
}
export const AFTER = {
  'games/domains': [
    'stays.example',
    'always.example',
    'games.example',
    'opened.example',
    'granted.example',
    'pc.example',
    'room.example',
    'school.example',
    'past.example',
    'own.example',
    'over.example',
    'games.wide.example',
    '198.51.100.7',
  ],
  'games/urls': ['pages.example/new', 'root.example/'],
  'games/expressions': ['secretgame', '^path\\.example/game'],
  'shopping/domains': ['shop.example', 'read.example'],
  'adult/domains': ['adult.example', 'lesson.example', 'opened-adult.example'],
  'press/domains': ['news.example'],
  // Not turned on: they close nothing.
  'press/expressions': ['gazette'],
}

export interface Case {
  readonly kind: string
  readonly ask: string
  readonly from?: Pc
  /** After the update: the action, and the check that decides. */
  readonly is: readonly [action: 'allow' | 'warn' | 'block', check: string]
  /** The reason of that check, where it has another name. */
  readonly reason?: string
  /** Before the update, where it was not the same. */
  readonly was?: Case['is']
  /** What no rehearsal can know: an address that the log does not keep. */
  readonly isUnseen?: true
}

const OPEN = ['allow', 'default'] as const
const CLOSED = ['block', 'blocked-category'] as const
const NEVER = ['block', 'never-grantable'] as const
/** `https://…` is asked for by CONNECT, `http://…` by a plain request; no name leads anywhere but to this machine. */
export const CASES: readonly Case[] = [
  { kind: 'a name in no list', ask: 'https://plain.example', is: OPEN },
  { kind: 'a domain', ask: 'https://games.example', is: CLOSED, was: OPEN },
  { kind: 'a domain over plain HTTP', ask: 'http://games.example/x', is: CLOSED, was: OPEN },
  { kind: 'a sub-domain', ask: 'https://a.b.games.example', is: CLOSED, was: OPEN },
  { kind: 'a domain in capitals', ask: 'https://GAMES.Example', is: CLOSED, was: OPEN },
  { kind: 'a domain that goes', ask: 'https://old.example', is: OPEN, was: CLOSED },
  { kind: 'a domain that stays', ask: 'https://stays.example', is: CLOSED },
  { kind: 'a page', ask: 'http://pages.example/new/1', is: CLOSED, was: OPEN },
  { kind: 'a page that goes', ask: 'http://pages-old.example/old', is: OPEN, was: CLOSED },
  { kind: 'a page inside TLS', ask: 'https://pages.example', is: OPEN },
  { kind: 'the first page', ask: 'http://root.example/', is: CLOSED, was: OPEN },
  { kind: 'an expression', ask: 'https://www.secretgame.example', is: CLOSED, was: OPEN },
  { kind: 'an expression, HTTP', ask: 'http://secretgame.example/', is: CLOSED, was: OPEN },
  { kind: 'an expression that goes', ask: 'https://oldgame.example', is: OPEN, was: CLOSED },
  {
    kind: 'an expression on a path',
    ask: 'http://path.example/game',
    is: CLOSED,
    was: OPEN,
    isUnseen: true,
  },
  { kind: 'an expression that is off', ask: 'https://gazette.example', is: OPEN },
  { kind: 'an informative category', ask: 'https://news.example', is: OPEN },
  {
    kind: 'a warned category',
    ask: 'https://shop.example',
    is: ['warn', 'warned-category'],
    was: OPEN,
  },
  { kind: 'the same for a teacher', ask: 'https://shop.example', from: 'teacher', is: OPEN },
  { kind: 'a local allow', ask: 'https://opened.example', is: ['allow', 'local-allow'] },
  { kind: 'a local block', ask: 'https://closed.example', is: ['block', 'local-block'] },
  { kind: 'declassified', ask: 'https://lesson.example', is: OPEN },
  { kind: 'classified', ask: 'https://named.example', is: CLOSED },
  { kind: 'a rule that is over', ask: 'https://over.example', is: CLOSED, was: OPEN },
  {
    kind: 'a rule of this school',
    ask: 'https://own.example',
    from: 'elsewhere',
    is: ['allow', 'local-allow'],
  },
  { kind: 'a rule of another school', ask: 'https://own.example', is: CLOSED, was: OPEN },
  { kind: 'a grant of the city', ask: 'https://www.granted.example', is: ['allow', 'grant'] },
  {
    kind: 'a list that closes a narrower name',
    ask: 'https://games.wide.example',
    is: ['block', 'narrower-block'],
    reason: 'blocked-category',
    was: ['allow', 'grant'],
  },
  {
    kind: 'a warning that was passed',
    ask: 'https://read.example',
    is: ['allow', 'warned-category'],
    reason: 'grant',
    was: OPEN,
  },
  { kind: 'a grant of the PC', ask: 'https://pc.example', from: 'granted', is: ['allow', 'grant'] },
  { kind: 'a grant of another PC', ask: 'https://pc.example', is: CLOSED, was: OPEN },
  { kind: 'a grant of the room', ask: 'https://room.example', is: ['allow', 'grant'] },
  {
    kind: 'a grant of another room',
    ask: 'https://room.example',
    from: 'teacher',
    is: CLOSED,
    was: OPEN,
  },
  { kind: 'a grant of another school', ask: 'https://school.example', is: CLOSED, was: OPEN },
  { kind: 'a grant that is over', ask: 'https://past.example', is: CLOSED, was: OPEN },
  {
    kind: 'a grant of what is never grantable',
    ask: 'https://adult.example',
    is: NEVER,
    was: ['allow', 'grant'],
  },
  {
    kind: 'an address in place of a name',
    ask: 'https://198.41.0.4',
    is: ['block', 'address'],
  },
  { kind: 'an inner address', ask: 'https://10.9.9.9', is: ['block', 'non-public-address'] },
  { kind: 'an address that the city reaches', ask: 'http://127.0.0.1/', is: OPEN },
  {
    kind: 'through a translator',
    ask: 'https://www-games-example.translate.goog',
    is: ['block', 'wrapped-site'],
    reason: 'blocked-category',
    was: OPEN,
  },
  {
    kind: 'in an archive',
    ask: 'http://web.archive.org/web/2020/http://games.example/a',
    is: ['block', 'wrapped-site'],
    reason: 'blocked-category',
    was: OPEN,
    isUnseen: true,
  },
  {
    kind: 'out of hours',
    ask: 'https://plain.example',
    from: 'night',
    is: ['block', 'closed-hours'],
  },
  { kind: 'allow-only', ask: 'https://plain.example', from: 'exam', is: ['block', 'allow-only'] },
  {
    kind: 'allow-only, opened',
    ask: 'https://opened.example',
    from: 'exam',
    is: ['allow', 'local-allow'],
  },
  {
    kind: 'an unknown network',
    ask: 'https://plain.example',
    from: 'unknown',
    is: ['block', 'unknown-network'],
  },
  { kind: 'Préau itself', ask: 'http://preau.internal/', is: ['block', 'own-host'] },
]
