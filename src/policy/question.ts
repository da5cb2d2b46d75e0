/** What the checks of one decision share: each look-up is made when a check asks for it. */
import type { CategoryId, CategorySet } from './category.ts'
import type { Grant } from './grant.ts'
import type { Host, Target } from './host.ts'
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
  #grant: Grant | null | undefined
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
    if (this.#grant === undefined)
      this.#grant = this.snapshot.grants(this.target.host, this.client, this.now) ?? null
    return this.#grant ?? undefined
  }

  /** The warning that somebody has read before this site. */
  get passed(): Grant | undefined {
    return this.snapshot.passed(this.target.host, this.client, this.now)
  }

  /** The categories of which the profile warns. */
  get warned(): readonly CategoryId[] {
    return this.categories.filter(id => this.profile.warned.has(id))
  }

  /** The categories of another host, for the same client at the same moment. */
  categoriesOf(host: Host): CategorySet {
    const { snapshot, client, now, target } = this
    return new Question(snapshot, client, { host, port: target.port }, now).categories
  }

  get rule(): LocalRule | undefined {
    if (this.#rule === undefined)
      this.#rule = this.snapshot.rules.deciding(this.target.host, this.client, this.now) ?? null
    return this.#rule ?? undefined
  }

  /** Whether a grant or a rule opens the wrapped name itself, and not all that its wrapper shows. */
  get isOpenedByName(): boolean {
    const { grant, rule } = this
    return this.#isWrapped(grant?.host ?? (rule?.action === 'allow' ? rule.host : undefined))
  }

  /** Whether a warning was read for the wrapped name itself. */
  get isPassedByName(): boolean {
    return this.#isWrapped(this.passed?.host)
  }

  #isWrapped(host: Host | undefined): boolean {
    return host !== undefined && wrappedSites({ host, port: this.target.port }).length > 0
  }
}
