/** Lists that are a part of the configuration of a resolver: dnsmasq, SmartDNS, unbound, BIND, and response policy zones. */
import { BLANK, isSink, LEFT, namesLine, parseWidened, type ListLine } from './listed-name.ts'

const DNSMASQ = /^(address|server|local)=\/(.*)$/i
const DNSMASQ_OTHER = /^(?:ipset|nftset|cname|host-record|server|address)=/i
const SMARTDNS = /^(address|nameserver)\s+\/([^/]+)\/(\S*)/i

/**
 * Lines that say where a resolver forwards names to. `address=/x/` with nothing, `#` or a sink, and `server=/x/` with nothing
 * or a sink, lead nowhere; `server=/x/#` and any other value are an exception or lead elsewhere. Given the line with its comments.
 */
export function parseForwarder(whole: string): ListLine | undefined {
  const [, key = '', rest] = DNSMASQ.exec(whole) ?? []
  if (rest !== undefined) {
    const names = rest.split('/')
    const value = names.pop()?.split(/\s/)[0] ?? ''
    const isAddress = key.toLowerCase() === 'address'
    const isNowhere = value === '' || isSink(value) || (isAddress && value === '#')
    return isNowhere ? namesLine(names.map(parseWidened)) : LEFT
  }
  if (DNSMASQ_OTHER.test(whole)) return LEFT
  const [, command = '', name = '', target = ''] = SMARTDNS.exec(whole) ?? []
  if (name === '') return undefined
  const isNowhere = command.toLowerCase() === 'address' && (target === '#' || isSink(target))
  return isNowhere ? namesLine([parseWidened(name)]) : LEFT
}

const ZONE = /^local-zone:\s*"?([^"\s]+)"?\s+"?([a-z_]+)"?$/i
// `redirect` says where to only in the data beside it; the others let names through.
const CLOSED_ZONE =
  /^(?:static|deny|refuse|inform_deny|always_(?:refuse|deny|nxdomain|nodata|null))$/i
const DATA = /^local-data:\s*(?:"([^"]*)"|'([^']*)')$/i
const SECTION = /^(?:server|view|remote-control):$/i
const SETTING =
  /^(?:local-data-ptr|local-zone-tag|private-domain|include|define-tag|module-config):/i
const NAMED_ZONE = /^zone\s+"([^"]+)"\s*(?:in\s*)?\{\s*type\s+([a-z]+)/i

/** Lines of unbound, BIND and zone files; `undefined` for what is none. */
export function parseResolver(text: string): ListLine | undefined {
  const [, zone, type = ''] = ZONE.exec(text) ?? []
  if (zone !== undefined) return CLOSED_ZONE.test(type) ? namesLine([parseWidened(zone)]) : LEFT
  const data = DATA.exec(text)
  if (data !== null) return parseRecord(data[1] ?? data[2] ?? '') ?? LEFT
  if (SECTION.test(text)) return BLANK
  if (SETTING.test(text)) return LEFT
  const [, named, role = ''] = NAMED_ZONE.exec(text) ?? []
  if (named !== undefined)
    return /^(?:master|primary)$/i.test(role) ? namesLine([parseWidened(named)]) : LEFT
  return parseRecord(text)
}

const TTL = /^\d{1,10}[smhdw]?$/i
const RECORD = /^(?:cname|dname|a|aaaa|txt|mx|ptr|srv|ns|soa)$/i
const OWN_RECORD = /^(?:ns|soa)$/i
/** Triggers of a response policy zone that are no name that is asked for. */
const OTHER_TRIGGER = /\.rpz-(?:ip|client-ip|nsip|nsdname)\.?$/i
/** No such name, no such data, no answer at all. */
const NOWHERE = /^(?:\*?\.|rpz-drop\.)$/i

/** `x CNAME .`, `*.x 300 IN CNAME *.`, `x A 0.0.0.0`; `rpz-passthru.` and a real place are an exception. */
function parseRecord(text: string): ListLine | undefined {
  if (/^\$(?:ttl|origin|include|generate)\b/i.test(text)) return BLANK
  // The numbers of an SOA record that stands on several lines.
  if (/^(?:\d{1,10}[smhdw]?)?\s*[()]?$/i.test(text)) return BLANK
  const words = text.split(/\s+/)
  let at = 1
  while (at < 3 && (TTL.test(words[at] ?? '') || /^in$/i.test(words[at] ?? ''))) at++
  const [owner = '', type = '', value = ''] = [words[0], words[at], words[at + 1]]
  if (OWN_RECORD.test(owner) || (OWN_RECORD.test(type) && RECORD.test(type))) return BLANK
  if (!RECORD.test(type) || value === '') return undefined
  if (OTHER_TRIGGER.test(owner)) return LEFT
  const isNowhere = /^cname$/i.test(type)
    ? NOWHERE.test(value)
    : /^a{1,4}$/i.test(type) && isSink(value)
  return isNowhere ? namesLine([parseWidened(owner)]) : LEFT
}
