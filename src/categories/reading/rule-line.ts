/** Rules of proxy clients (Surge, Clash, Shadowrocket, Quantumult): `DOMAIN-SUFFIX,x,REJECT`, and the lines of their YAML. */
import { BLANK, LEFT, namesLine, parseWidened, type ListLine } from './listed-name.ts'

const RULE = /^(domain|domain-suffix|host|host-suffix)\s*,\s*([^,\s]+)\s*(?:,\s*([^,]*))?$/i
const OTHER_RULE =
  /^(?:domain-(?:keyword|regex|set|wildcard)|host-keyword|ip-cidr6?|ip-asn|geoip|geosite|user-agent|url-regex|process-name|dst-port|rule-set|and|or|not|final|match)\s*,/i
const ITEM = /^-\s+(?:'([^']*)'|"([^"]*)"|(\S+))$/

/** `undefined`: no such rule. One that sends a name somewhere else than nowhere is left out. */
export function parseRule(text: string): ListLine | undefined {
  if (/^(?:payload|domain|rules):$/i.test(text)) return BLANK
  const item = ITEM.exec(text)
  const rule = item === null ? text : (item[1] ?? item[2] ?? item[3] ?? '')
  const [, , name, policy = 'reject'] = RULE.exec(rule) ?? []
  if (name !== undefined)
    return /^(?:reject|block|adblock)/i.test(policy.trim()) ? namesLine([parseWidened(name)]) : LEFT
  if (OTHER_RULE.test(rule)) return LEFT
  return item === null ? undefined : namesLine([parseWidened(rule)])
}
