/** What stands before every password: how often one may be tried, how many are hashed at once, and how long it takes. */

import { limits, refuse, type Clock, type Refusal } from '@assay/core';
import { takeTurns } from '../http/turns.ts';
import { checkPassword, hashPassword, type ScryptCost } from './password.ts';
import { tokenBuckets } from './token-bucket.ts';

export interface PasswordGuard {
  /** Counts an attempt from a network address; refuses `request.rate_limited`. */
  admit(address: string): void;
  /**
   * Whether `password` is the one that `stored` was made of, for the account of `email` in lower case. A missing hash takes
   * as long as a wrong password. Refuses `request.rate_limited` after too many wrong ones.
   */
  isRight(email: string, password: string, stored: string | null | undefined): Promise<boolean>;
  /** The hash to store; refuses `request.rate_limited` when too many wait. */
  hash(password: string): Promise<string>;
}

/** The guard of one server. */
export function passwordGuard(clock: Clock, scrypt: ScryptCost): PasswordGuard {
  // Hashing is made to be slow: a flood of sign-ins must not stop the server.
  const queue = takeTurns(limits.passwordHashes, limits.passwordHashesWaiting);
  const wrong = tokenBuckets(clock, { burst: limits.signInBurst, perMinute: limits.signInPerMinute }, limits.rateKeys);
  const byAddress = { burst: limits.signInAddressBurst, perMinute: limits.signInAddressPerMinute };
  const attempts = tokenBuckets(clock, byAddress, limits.rateKeys);
  // Unknown addresses take as long as known ones, so that the time does not tell which accounts exist.
  let decoy: Promise<string> | undefined;
  const hashDecoy = async (): Promise<string> => {
    try {
      return await queue(() => hashPassword('decoy', scrypt));
    } catch (error) {
      // The queue was full: whoever asks next tries anew.
      decoy = undefined;
      throw error;
    }
  };
  return {
    admit(address) {
      const taken = attempts.take(address);
      if (!taken.ok)
        throw refuse('request.rate_limited', 'too many sign-ins from this address', { waitMs: taken.waitMs });
    },
    async isRight(email, password, stored) {
      if (!wrong.has(email)) throw tooManyGuesses();
      const hash = stored ?? (await (decoy ??= hashDecoy()));
      const right = await queue(async () => {
        // Counted when it is tried, not when it has failed: a hundred at once are a hundred guesses.
        if (!wrong.take(email).ok) throw tooManyGuesses();
        return checkPassword(password, hash);
      });
      if (!right || hash !== stored) return false;
      wrong.reset(email);
      return true;
    },
    hash: (password) => queue(() => hashPassword(password, scrypt)),
  };
}

function tooManyGuesses(): Refusal {
  return refuse('request.rate_limited', 'too many wrong passwords; wait a minute', { waitMs: 60_000 });
}
