# Recompute the rates and primary contrasts of this audit from rows.csv, frame.csv and
# totals.csv.
#
#     Rscript recompute.r [FOLDER]
#
# Prints table, dimension or measure, group or contrast, column, value; the numbers are those of
# report.csv. It needs R alone. Nothing is drawn at random, so there is no seed. Tables start from
# the rows, and from the totals where rows would show a combination of groups with fewer than 10.

smallest <- 10; few <- 5; halvings <- 50; alpha <- 0.05
dimensions <- list(character(), "gender", "age", "skin", c("gender", "skin"))
measures <- list(  # flagged and violating: the errors, and the rest that the measure counts
  "false positive" = list(c(1, 0), c(0, 0)),
  "false negative" = list(c(0, 1), c(1, 1)),
  "precision" = list(c(1, 1), c(1, 0)))
contrasts <- list(c("gender", "woman", "man"), c("skin", "dark", "light"))

arguments <- commandArgs(trailingOnly = TRUE)
folder <- if (length(arguments)) arguments[1] else "."
read <- function(name) {
  read.csv(file.path(folder, name), encoding = "UTF-8", na.strings = character(),
           colClasses = "character")
}
numbered <- function(data) {  # every column but the groups'
  for (name in setdiff(names(data), c("band", "gender", "age", "skin"))) {
    data[[name]] <- as.numeric(data[[name]])
  }
  data
}
rows <- numbered(read("rows.csv"))
frame <- numbered(read("frame.csv"))
totals <- read("totals.csv")

# A total is c(sum, variance, one more): what was seen, and an unseen item of the largest weight.
more <- function(total) c(total[1] + total[3], total[2] + total[3]^2, total[3])

below <- function(part, rest, at) {  # chance that the share of two gammas lies at or below
  if (part[1] <= 0 || rest[1] <= 0) return(if (part[1] > 0) 0 else 1)
  scale <- part[2] * rest[1] / (rest[2] * part[1])
  pbeta(at / (at + (1 - at) * scale), part[1]^2 / part[2], rest[1]^2 / rest[2])
}

quantile_of <- function(part, rest, chance) {
  low <- 0; high <- 1
  for (each in seq_len(halvings)) {
    middle <- (low + high) / 2
    found <- (below(part, more(rest), middle) + below(more(part), rest, middle)) / 2
    if (found < chance) low <- middle else high <- middle
  }
  low
}

interval <- function(sides) {
  part <- sides[[1]]; rest <- sides[[2]]
  whole <- part[1] + rest[1]
  c(if (whole > 0) part[1] / whole else NaN,
    quantile_of(part, rest, alpha / 2), 1 - quantile_of(rest, part, alpha / 2))
}

effective <- function(sides) {  # items that would give the same standard error of the odds
  part <- sides[[1]]; rest <- sides[[2]]
  if (part[1] + rest[1] <= 0) return(0)
  sums <- sapply(sides, function(each) if (each[1] > 0) each[1] else more(each)[1])
  if (min(sums) <= 0) return(0)
  spread <- more(part)[2] / sums[1]^2 + more(rest)[2] / sums[2]^2
  rate <- sums[1] / sum(sums)
  1 / (rate * (1 - rate) * spread)
}

joined <- function(data, names) {
  if (!length(names)) return(rep("all", nrow(data)))
  do.call(paste, c(unname(as.list(data[names])), sep = " \u00d7 "))
}

# From the totals where they stand there, else from the rows where these state the names.
groups_of <- function(names) {
  dimension <- if (length(names)) paste(names, collapse = " \u00d7 ") else "all"
  own <- totals[totals$dimension == dimension, ]
  if (!nrow(own)) {
    return(if (nrow(rows) && all(names %in% colnames(rows))) rates(names) else list())
  }
  labels <- sort(unique(own$group), method = "radix")
  found <- lapply(labels, function(group) {
    of_group <- own[own$group == group, ]
    sides <- lapply(names(measures), function(measure) {
      lapply(c("errors", "rest"), function(side) {
        row <- of_group[of_group$measure == measure & of_group$side == side, ]
        as.numeric(c(row$sum, row$variance, row$one_more))
      })
    })
    list(labels = as.numeric(of_group$labels[1]), sides = setNames(sides, names(measures)))
  })
  setNames(found, labels)
}

# By group: the number of labels, and by measure the two totals.
rates <- function(names) {
  group <- joined(rows, names)
  of_frame <- joined(frame, names)
  strata <- sort(unique(frame$stratum))
  sum_by <- function(values) sapply(strata, function(s) sum(values[frame$stratum == s]))
  drawn <- sum_by(frame$drawn); labelled <- sum_by(frame$labelled)
  first <- match(strata, frame$stratum)
  chance <- frame$probability[first]; flagged <- frame$flagged[first]
  general <- ifelse(labelled > 0 & chance > 0, drawn / labelled / chance, Inf)
  found <- list()
  for (name in sort(unique(group), method = "radix")) {
    held <- of_frame == name
    screened <- sapply(strata, function(s) sum(frame$screenings[held & frame$stratum == s]))
    answered <- sapply(strata, function(s) sum(frame$labelled[held & frame$stratum == s]))
    weight <- ifelse(answered >= few, screened / answered, general)
    own <- rows[group == name, ]
    place <- match(own$stratum, strata)
    totals <- lapply(names(measures), function(measure) {
      lapply(measures[[measure]], function(kind) {
        total(own, place, weight, pmin(weight, screened), flagged, kind, measure != "precision")
      })
    })
    names(totals) <- names(measures)
    found <- c(found, setNames(list(list(labels = nrow(own), sides = totals)), name))
  }
  found
}

total <- function(own, place, weight, unseen, flagged, kind, is_known) {
  counted <- own$flagged == kind[1] & own$violating == kind[2]
  w <- weight[place]
  labels <- tabulate(place, length(weight)); hits <- tabulate(place[counted], length(weight))
  p <- if (is_known) (hits / (labels + 1))[place] else rep(0, length(place))
  known <- 1 - p * (1 - pmin(1, 1 / w))
  alone <- sum(w[counted]^2)
  shared <- sapply(c("prompt", "owner"), function(cluster) {
    if (!any(counted)) return(0)
    sum(tapply(w[counted], own[[cluster]][counted], sum)^2) - alone
  })
  c(sum(w[counted]), sum((w^2 * known)[counted]) + max(0, shared),
    max(0, unseen[flagged == kind[1]]))
}

ratio <- function(one, other) {
  product <- one[1] * other[1]
  low <- c(one[2] * (2 * one[1] - one[2]), other[3] * (2 * other[1] - other[3]))
  high <- c(one[3] * (2 * one[1] - one[3]), other[2] * (2 * other[1] - other[2]))
  less <- sqrt(max(product^2 - prod(low), 0)); above <- sqrt(max(product^2 - prod(high), 0))
  value <- if (other[1] > 0) one[1] / other[1] else NaN
  least <- value * 0
  if (one[2] > 0) least <- if (product + less > 0) low[1] / (product + less) else NaN
  c(value, least, if (high[2] > 0) (product + above) / high[2] else NaN)
}

p_of <- function(one, other) {  # the level at which the interval just leaves nought out
  a <- interval(one)[1]; b <- interval(other)[1]
  if (is.nan(a - b)) return(NaN)
  if (b > a) { kept <- one; one <- other; other <- kept; kept <- a; a <- b; b <- kept }
  low <- -40; high <- 0
  for (each in seq_len(halvings %/% 2)) {
    middle <- (low + high) / 2
    tail <- exp(middle) / 2
    ends <- c(a - quantile_of(one[[1]], one[[2]], tail),
              1 - quantile_of(other[[2]], other[[1]], tail) - b)
    if (sqrt(sum(ends^2)) >= a - b) low <- middle else high <- middle
  }
  exp(high)
}

show <- function(table, row, group, columns) {
  for (name in names(columns)) {
    value <- columns[[name]]
    said <- if (is.nan(value)) "" else sprintf("%.12g", value)
    cat(table, ",", row, ",", group, ",", name, ",", said, "\n", sep = "")
  }
}

for (names in dimensions) {
  found <- groups_of(names)
  dimension <- if (length(names)) paste(names, collapse = " \u00d7 ") else "all"
  for (place in seq_along(found)) {
    group <- names(found)[place]; each <- found[[place]]
    if (each$labels < smallest) next
    fpr <- each$sides[[1]]; fnr <- each$sides[[2]]
    columns <- list(
      labels = each$labels, effective = effective(fpr), effective_fnr = effective(fnr),
      true_positive = fnr[[2]][1], false_positive = fpr[[1]][1],
      false_negative = fnr[[1]][1], true_negative = fpr[[2]][1])
    short <- c("fpr", "fnr", "precision")
    for (which in 1:3) {
      ends <- interval(each$sides[[which]])
      if (which == 2 && fnr[[1]][1] <= 0) ends[1] <- NaN
      columns[paste0(short[which], c("", "_low", "_high"))] <- as.list(ends)
    }
    show("rates", dimension, group, columns)
  }
}

found <- list()
for (measure in c("false positive", "false negative")) for (contrast in contrasts) {
  groups <- groups_of(contrast[1])
  sides <- lapply(contrast[2:3], function(name) groups[[name]]$sides[[measure]])
  is_there <- !any(sapply(sides, is.null))
  p <- if (is_there) p_of(sides[[1]], sides[[2]]) else NaN
  found[[length(found) + 1]] <- list(
    measure = measure, name = paste(contrast[2], "against", contrast[3]), sides = sides,
    is_there = is_there, p = p)
}
ps <- sapply(found, function(each) each$p)
adjusted <- rep(NaN, length(ps))
adjusted[!is.nan(ps)] <- p.adjust(ps[!is.nan(ps)], "holm")
for (place in seq_along(found)) {
  each <- found[[place]]
  if (!each$is_there) next
  one <- interval(each$sides[[1]]); other <- interval(each$sides[[2]])
  value <- one[1] - other[1]
  over <- ratio(one, other)
  errors <- sum(sapply(each$sides, function(side) {
    if (side[[1]][2] > 0) side[[1]][1]^2 / side[[1]][2] else 0
  }))
  show("primary", each$measure, each$name, list(
    errors = errors, effective = effective(each$sides[[1]]),
    effective_reference = effective(each$sides[[2]]), difference = value,
    low = value - sqrt((one[1] - one[2])^2 + (other[3] - other[1])^2),
    high = value + sqrt((one[3] - one[1])^2 + (other[1] - other[2])^2),
    ratio = over[1], ratio_low = over[2], ratio_high = over[3], p = ps[place],
    p_adjusted = adjusted[place]))
}
