/**
 * A store without a policy is new, or it was emptied: a Redis that kept nothing, a file that was deleted, an address that was
 * changed. The default policy must not stand over a city's own, so somebody decides which it is.
 */
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import type { Catalogue } from '../policy/category.ts'
import { isPresent, lastStateFile, readLastState } from './read.ts'

/** Throws PREAU_STORE_EMPTY when this data folder knows of an earlier policy. `now`: epoch ms. */
export async function refuseEmptied(
  config: Pick<Config, 'dataDir' | 'limits'>,
  catalogue: Catalogue,
  now: number,
): Promise<void> {
  const file = lastStateFile(config)
  if (!(await isPresent(file))) return
  const { state } = await readLastState(config, catalogue, now)
  const city = state?.policy.body.city.name ?? '?'
  const on = state === undefined ? '?' : new Date(state.at).toISOString().slice(0, 10)
  throw new PreauError('PREAU_STORE_EMPTY', {
    detail: {
      fr: `mais ${file} garde l’état de « ${city} » du ${on} : remettez une sauvegarde de la base, ou vérifiez son adresse ; pour repartir de zéro, supprimez ce fichier`,
      en: `but ${file} holds the state of "${city}" of ${on}: put a backup of the store back, or check its address; to begin anew, delete that file`,
    },
  })
}
