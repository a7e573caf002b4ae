import { normaliseText } from './normalise-text.ts';

/**
 * Words that withdraw, in every language at once: whoever writes one of them means it, whatever language we think they
 * speak. Sources: 47 CFR 64.1200(a)(10) (stop, quit, end, revoke, opt out, cancel, unsubscribe); CTIA universal words;
 * the lists of Twilio, AWS and Telnyx; local words from public code and vendors' pages, 2026-11. Left out because they
 * answer ordinary questions: no, nein, nahi, yes.
 */
const STOP_PHRASES: readonly string[] = [
  ...['stop', 'stop all', 'stopall', 'quit', 'end', 'revoke', 'opt out', 'optout', 'cancel', 'unsubscribe', 'unsub'],
  ...['remove', 'remove me', 'stop please', 'please stop', 'stop now', 'stop it', 'stop messages', 'stop promotions'],
  ...['stop thank you', 'stop thanks', 'unsubscribe me', 'end all', 'cancel all', 'opt me out', 'no more messages'],
  ...['stopp', 'abmelden', 'abbestellen', 'austragen'],
  ...['arret', 'arreter', 'arretez', 'desabonner', 'desinscrire', 'annuler'],
  ...['baja', 'darme de baja', 'dar de baja', 'alto', 'parar', 'cancelar', 'detener promociones'],
  ...['sair', 'pare', 'descadastrar', 'remover'],
  ...['basta', 'cancella', 'annulla', 'disiscrivimi'],
  ...['afmelden', 'stoppen', 'uitschrijven'],
  ...['berhenti', 'batal', 'keluar'],
  ...['band karo', 'बंद करो', 'रोकें'],
  ...['توقف', 'إيقاف'],
];

const NORMALISED: ReadonlySet<string> = new Set(STOP_PHRASES.flatMap((phrase) => normaliseText(phrase) ?? []));

/**
 * Is the whole message a withdrawal? A stop word inside a sentence ("we have got to STOP this bill", "Wochenende") is
 * not. A word whose letters are repeated ("stopppp") or spelled out ("s.t.o.p.") is.
 */
export function isStopMessage(text: string): boolean {
  const normalised = normaliseText(text);
  if (normalised === undefined) return false;
  const spelledOut = /^(?:\p{L} )+\p{L}$/u.test(normalised) ? normalised.replaceAll(' ', '') : normalised;
  return NORMALISED.has(spelledOut) || NORMALISED.has(spelledOut.replace(/(.)\1{2,}/gu, '$1'));
}
