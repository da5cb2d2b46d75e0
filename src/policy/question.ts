/** What the checks of one decision share: each look-up is made when a check asks for it. */
import type { CategoryId, CategorySet } from './category.ts'
import type { Grant } from './grant.ts'
import type { Target } from './host.ts'
import type { Client } from './network.ts'
import type { LocalRule } from './policy-document.ts'
import type { Profile } from './profile.ts'
import type { Snapshot } from './snapshot.ts'
import { wrappedSites } from './wrapped-site.ts'

export class Question {
  readonly snapshot: Snapshot
  readonly client: Client
  readonly target: Target
  readonly now: number
  /** Through how many others the target is seen: translators, caches, archives. */
  readonly wrappers: number
  #profile: Profile | undefined
  #categories: CategorySet | undefined
  /** null: asked for, and there is none. */
  #rule: LocalRule | null | undefined

  constructor(snapshot: Snapshot, client: Client, target: Target, now: number, wrappers = 0) {
    this.snapshot = snapshot
    this.client = client
    this.target = target
    this.now = now
    this.wrappers = wrappers
  }

  get profile(): Profile {
    this.#profile ??= this.snapshot.profiles.get(this.client.profile)
    if (this.#profile === undefined) throw new TypeError(`no profile ${this.client.profile}`)
    return this.#profile
  }

  get categories(): CategorySet {
    return (this.#categories ??= this.#allCategories())
  }

  #allCategories(): CategorySet {
    const { host, path } = this.target
    const ofHost = this.snapshot.categories(host)
    const ofPage = this.snapshot.pages(host, path)
    const listed = ofPage.length === 0 ? ofHost : [...new Set([...ofHost, ...ofPage])].sort()
    return this.snapshot.rules.correct(listed, host, this.client, this.now)
  }

  /** Whether a category is that of the page only. */
  isOfPage(category: CategoryId): boolean {
    const { host, path } = this.target
    if (!this.snapshot.pages(host, path).includes(category)) return false
    return !this.snapshot.categories(host).includes(category)
  }

  get grant(): Grant | undefined {
    return this.snapshot.grants(this.target.host, this.client, this.now)
  }

  get rule(): LocalRule | undefined {
    if (this.#rule === undefined)
      this.#rule = this.snapshot.rules.deciding(this.target.host, this.client, this.now) ?? null
    return this.#rule ?? undefined
  }

  /** Whether a grant or a rule opens the wrapped name itself, and not all that its wrapper shows. */
  get isOpenedByName(): boolean {
    const { grant, rule, target } = this
    const opened = grant?.host ?? (rule?.action === 'allow' ? rule.host : undefined)
    return opened !== undefined && wrappedSites({ host: opened, port: target.port }).length > 0
  }
}
