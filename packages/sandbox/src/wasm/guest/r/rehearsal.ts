/** What R runs before it is ready, where it waits. */

import { leavingNoTrace } from '../rehearsal.ts';
import { evaluate, type Interpreter } from './interpreter.ts';

const script = `local({
  set.seed(7)
  x <- rnorm(20)
  y <- 2 * x + runif(20)
  fit <- lm(y ~ x)
  print(summary(fit))
  print(c(mean(x), quantile(y)))
  cat(format(Sys.time(), '%Y'), sprintf('%.3f %5s', pi, 'x'), paste0('a', 1:3), '\\n')
  frame <- data.frame(n = 1:5, s = letters[1:5])
  print(sapply(split(frame$n, frame$s), sum))
  write.csv(frame, '/tmp/rehearsal')
  read.csv('/tmp/rehearsal')
  writeLines(as.character(sum(1:1000)), '/tmp/rehearsal')
  readLines('/tmp/rehearsal')
  unlink('/tmp/rehearsal')
  tryCatch(stop('odd'), error = function(e) message(conditionMessage(e)))
  eval(parse(text = 'f <- function(n) if (n < 2) n else f(n - 1) + f(n - 2); f(8)'))
  solve(matrix(c(2, 1, 1, 3), 2)) %*% c(1, 2)
  gsub('a+', 'b', strsplit('aab,ab', ',')[[1]])
  invisible()
})`;

/** Runs it and takes it back; `layImage` puts the memory back. */
export function rehearse(r: Interpreter, layImage: () => void): void {
  leavingNoTrace(r, () => evaluate(r, script));
  layImage();
}
