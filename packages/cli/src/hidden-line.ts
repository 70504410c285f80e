/** Asking for a secret at the keyboard. */

import { print } from './terminal.ts';

const [enter, interrupt, endOfText, backspace] = ['\r', '\u0003', '\u0004', '\u007f'];

/** A line from the keyboard that the screen does not show; an interrupt aborts. */
export function hiddenLine(question: string): Promise<string> {
  process.stdout.write(question);
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    let line = '';
    const end = (): void => {
      stdin.off('data', hear);
      stdin.setRawMode(false);
      stdin.pause();
      print('');
    };
    const hear = (piece: string): void => {
      for (const key of piece) {
        if (key === interrupt) {
          end();
          reject(new DOMException('interrupted', 'AbortError'));
          return;
        }
        if (key === enter || key === '\n' || key === endOfText) {
          end();
          resolve(line);
          return;
        }
        line = key === backspace ? line.replace(/.$/su, '') : line + key;
      }
    };
    stdin.on('data', hear);
    stdin.resume();
  });
}
