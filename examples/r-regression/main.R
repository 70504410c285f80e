# Explains the yield of plots by rain, temperature and variety: a linear model, chosen among three by AIC.
#
# Only R's own packages are used, so that it runs in any R. Different builds of R differ in the last bits of a result,
# so the replicas are compared by the share of the variance that the model explains.

path <- commandArgs(trailingOnly = TRUE)[1]
plots <- read.csv(path, stringsAsFactors = TRUE)

models <- list(
  rain = lm(yield ~ rain, data = plots),
  weather = lm(yield ~ rain + I(rain^2) + temperature, data = plots),
  full = lm(yield ~ rain + I(rain^2) + temperature + variety, data = plots)
)
scores <- vapply(models, AIC, numeric(1))
best <- names(which.min(scores))
model <- models[[best]]
summed <- summary(model)
normal <- shapiro.test(residuals(model))
folds <- split(seq_len(nrow(plots)), rep(1:8, length.out = nrow(plots)))
missed <- unlist(lapply(folds, function(rows) {
  fitted <- lm(formula(model), data = plots[-rows, ])
  plots$yield[rows] - predict(fitted, plots[rows, ])
}))

cat(sprintf("%s of %d models: R squared %.4f, p of normal residuals %.3f\n",
            best, length(models), summed$r.squared, normal$p.value))

dir.create("results", showWarnings = FALSE)
effects <- as.data.frame(summed$coefficients)
names(effects) <- c("estimate", "standard_error", "t", "p")
effects <- data.frame(term = rownames(effects), lapply(effects, signif, 6))
write.csv(effects, "results/coefficients.csv", row.names = FALSE, quote = FALSE)
metrics <- c(
  r_squared = summed$r.squared,
  aic = scores[[best]],
  residual_error = summed$sigma,
  cross_validated_error = sqrt(mean(missed^2))
)
pairs <- sprintf('"%s": %s', names(metrics), formatC(metrics, digits = 15, format = "g"))
writeLines(sprintf("{ %s }", paste(pairs, collapse = ", ")), "results/metrics.json")
