/** `preau.internal`: shows that a PC passes through Préau and how it is known, and hands out the city's certificate. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Locale } from '../i18n.ts'
import type { Client } from '../policy/network.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Snapshot } from '../policy/snapshot.ts'
import { sayMoment } from '../spoken-hours.ts'
import { describePlace, type PageModel, type Place } from './block-page.ts'
import { spoken } from './spoken-time.ts'
import { portalTexts } from './texts.ts'
import { STYLE } from './views.ts'

/** PEM, as PCs install them. */
export interface Certificates {
  readonly inUse: string | undefined
  /** Block pages show it later; PCs may have it already. */
  readonly next: string | undefined
}

const CERTIFICATES = new Map<string, readonly [file: string, which: keyof Certificates]>([
  ['/ca.pem', ['preau-ca.pem', 'inUse']],
  ['/ca.crt', ['preau-ca.crt', 'inUse']],
  ['/ca-next.crt', ['preau-ca-next.crt', 'next']],
])

interface OwnHostModel extends PageModel {
  readonly place: Place['place']
  /** How it stands with this PC, in one truth. */
  readonly text: string
  readonly hasCa: boolean
  readonly hasNext: boolean
}

export interface OwnHostParts {
  readonly refusal: Refusal
  readonly snapshot: Snapshot
  readonly now: number
  readonly locale: Locale
  readonly certificates: () => Certificates
}

/** The body for a path of our own host; undefined when there is no such page. */
export async function answerOwnHost(
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  parts: OwnHostParts,
): Promise<string | undefined> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
  const [fileName, which = 'inUse'] = CERTIFICATES.get(path) ?? []
  const pem = parts.certificates()[which]
  if (fileName !== undefined && pem !== undefined) {
    reply
      .type('application/x-x509-ca-cert')
      .header('content-disposition', `attachment; filename="${fileName}"`)
    return pem
  }
  if (path !== '/') return undefined
  return reply.viewAsync('own-host', describeOwnHost(parts))
}

function describeOwnHost({
  refusal,
  snapshot,
  now,
  locale,
  certificates,
}: OwnHostParts): OwnHostModel {
  const t = portalTexts(locale)
  const { client } = refusal
  const { place, isUnknownPlace } = describePlace(client, t)
  const isRefused = isUnknownPlace && !snapshot.servesUnknown
  const label = snapshot.profiles.get(client.profile)?.label[locale] ?? client.profile
  const time = spoken('time', now, snapshot.city.timeZone, locale)
  return {
    locale,
    t,
    css: STYLE,
    city: snapshot.city,
    title: t('own.title'),
    heading: t('own.title'),
    place: [
      ...place,
      ...(isRefused ? [] : [{ name: t('own.profile'), value: label }]),
      { name: t('own.time'), value: time },
    ],
    text: isUnknownPlace
      ? `${t('own.what')} ${t(snapshot.servesUnknown ? 'own.unknown' : 'own.refused')}`
      : `${t('own.what')} ${openingOf(client, snapshot, now, locale) ?? t('own.fine')}`,
    hasCa: certificates().inUse !== undefined,
    hasNext: certificates().next !== undefined,
  }
}

/** undefined: it is open. */
function openingOf(
  { profile }: Client,
  snapshot: Snapshot,
  now: number,
  locale: Locale,
): string | undefined {
  const t = portalTexts(locale)
  const { isOpen, opensAt } = snapshot.profiles.get(profile)?.openingAt(now) ?? { isOpen: true }
  if (isOpen) return undefined
  if (opensAt === undefined) return t('own.never-open')
  return t('own.closed', { when: sayMoment(opensAt, now, snapshot.city.timeZone, locale) })
}
