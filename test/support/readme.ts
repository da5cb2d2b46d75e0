/** `npm run docs`: writes the configuration table of the README from the schema. A test checks that it was done. */
import { readFileSync, writeFileSync } from 'node:fs'
import { describeConfig } from '../../src/config.ts'

const README = new URL('../../README.md', import.meta.url)
const OPERATIONS = new URL('../../deploy/README.md', import.meta.url)
const BLOCK = /(<!-- config:begin[^\n]*-->\n)[\s\S]*?(<!-- config:end -->)/

export const readReadme = (): string => readFileSync(README, 'utf8')

/** The page for who runs it. */
export const readOperations = (): string => readFileSync(OPERATIONS, 'utf8')

/** What follows the name of the account of Redis that this page proposes, with a password in its place. */
export function proposedRights(password: string): string[] {
  const line = /^ACL SETUSER preau (.*)$/m.exec(readOperations())?.[1]
  if (line === undefined) throw new Error('deploy/README.md proposes no account')
  return line.replace('PASSWORD', password).split(' ')
}

/** The README with its table as the schema says now. */
export function withTable(readme: string): string {
  const rows = describeConfig().map(
    ({ key, variable, fallback, text }) =>
      `| \`${key}\` | ${variable === '' ? '' : `\`${variable}\``} | \`${fallback}\` | ${text} |`,
  )
  const table = ['| key | environment | default | |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  )
  return readme.replace(BLOCK, `$1${table}\n$2`)
}

if (import.meta.main) writeFileSync(README, withTable(readReadme()))
