library(metafor); library(metadat); options(digits=12)
cat('{"made_with": "R', as.character(getRversion()), 'metafor', as.character(packageVersion("metafor")), 'metadat', as.character(packageVersion("metadat")), '",\n')
num <- function(x) paste0("[", paste(formatC(x, digits=12, format="g"), collapse=", "), "]")
str <- function(x) paste0('["', paste(x, collapse='", "'), '"]')
dat <- escalc(measure="RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg)
cat('"bcg": {"yi":', num(dat$yi), ', "vi":', num(dat$vi))
for (m in c("REML","DL","FE")) { r <- rma(yi, vi, data=dat, method=m); p <- predict(r, level=80)
 cat(',\n "', m, '": {"estimate":', formatC(r$b[1],digits=12), ', "se":', formatC(r$se,digits=12), ', "tau2":', formatC(r$tau2,digits=12), ', "q":', formatC(r$QE,digits=12), ', "i2":', formatC(r$I2,digits=12), ', "pi80":', num(c(p$pi.lb,p$pi.ub)), '}', sep="") }
cat('},\n')
# Senn 2013
d <- dat.senn2013
d <- escalc(measure="MN", mi=mi, sdi=sdi, ni=ni, data=d)
# contrast based: reference arm of each study = first listed
d$order <- seq_len(nrow(d))
pairs <- do.call(rbind, lapply(split(d, d$study), function(x) { x <- x[order(x$order),]; b <- x[1,]; o <- x[-1,]; data.frame(study=x$study[1], t1=b$treatment, t2=o$treatment, yi=o$yi-b$yi, vi=o$vi+b$vi, vb=b$vi) }))
V <- bldiag(lapply(split(pairs, pairs$study), function(x) { m <- matrix(x$vb[1], nrow(x), nrow(x)); diag(m) <- x$vi; m }))
tr <- sort(unique(c(as.character(pairs$t1), as.character(pairs$t2)))); ref <- "placebo"; tr2 <- setdiff(tr, ref)
X <- sapply(tr2, function(t) (pairs$t2==t) - (pairs$t1==t))
pairs <- pairs[order(pairs$study),]
pairs <- do.call(rbind, split(pairs, pairs$study)); X <- sapply(tr2, function(t) (pairs$t2==t) - (pairs$t1==t))
pairs$row <- seq_len(nrow(pairs)); pairs$comp <- factor(pairs$row)
fe <- rma.mv(yi, V, mods=X, intercept=FALSE, data=pairs)
pairs$inner <- ave(pairs$row, pairs$study, FUN=seq_along)
re <- rma.mv(yi, V, mods=X, intercept=FALSE, random=~inner|study, rho=1/2, data=pairs)
cat('"senn2013": {"arms": {"study":', str(d$study), ', "treatment":', str(d$treatment), ', "mean":', num(d$mi), ', "sd":', num(d$sdi), ', "n":', num(d$ni), '},\n')
cat(' "treatments":', str(tr2), ', "reference": "placebo",\n "fixed": {"estimate":', num(coef(fe)), ', "se":', num(fe$se), ', "qe":', formatC(fe$QE,digits=12), '},\n "reml": {"estimate":', num(coef(re)), ', "se":', num(re$se), ', "tau2":', formatC(re$tau2,digits=12), '}}}\n')
