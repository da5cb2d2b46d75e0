/** A DNS server (RFC 1035) on loopback that answers A questions from a table, and NXDOMAIN for the rest. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Test } from 'tap'

/** IPv4 addresses by name; a test may change them between two questions. */
export type DnsTable = Record<string, readonly string[]>

export async function openDns(
  t: Test,
  table: DnsTable,
  { isMuteFor = () => false }: { isMuteFor?: (name: string, type: 'A' | 'AAAA') => boolean } = {},
): Promise<{ server: string; asked: string[] }> {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (question, from) => {
    const { name, end } = readName(question)
    const isA = question.readUInt16BE(end) === 1
    if (isA) asked.push(name)
    if (isMuteFor(name, isA ? 'A' : 'AAAA')) return
    const head = Buffer.from(question.subarray(0, 12))
    const addresses = (isA ? table[name] : undefined) ?? []
    head.writeUInt16BE(name in table ? 0x8180 : 0x8183, 2)
    head.writeUInt16BE(addresses.length, 6)
    head.fill(0, 8, 12)
    const answer = Buffer.concat([head, question.subarray(12, end + 4), ...addresses.map(record)])
    socket.send(answer, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return { server: `127.0.0.1:${socket.address().port}`, asked }
}

/** The name of the question, and where its type stands. */
function readName(question: Buffer): { name: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.subarray(at + 1, at + 1 + length).toString())
    at += length + 1
  }
  return { name: labels.join('.'), end: at + 1 }
}

const record = (address: string): Buffer =>
  Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)])
