/** `npm run docs`: writes the configuration table of the README from the schema. A test checks that it was done. */
import { readFileSync, writeFileSync } from 'node:fs'
import { describeConfig } from '../../src/config.ts'

const README = new URL('../../README.md', import.meta.url)
const BLOCK = /(<!-- config:begin[^\n]*-->\n)[\s\S]*?(<!-- config:end -->)/

export const readReadme = (): string => readFileSync(README, 'utf8')

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
