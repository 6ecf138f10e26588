"""What each metric means, in a sentence: the report prints these."""

from __future__ import annotations

__all__ = ["DEFINITIONS"]

#: Metric name -> (theme, definition).
DEFINITIONS: dict[str, tuple[str, str]] = {
    "ColumnShapes": (
        "fidelity",
        "Mean of KSComplement and TVComplement over columns. Blind to how columns go together.",
    ),
    "KSComplement": (
        "fidelity",
        "1 - the largest gap between the real and the synthetic distribution function of a number or date.",
    ),
    "TVComplement": (
        "fidelity",
        "1 - half the summed differences of the level shares of a category; missing is a level.",
    ),
    "MissingValueSimilarity": ("fidelity", "1 - the difference of the missing rates of a number or date."),
    "PairTrends": ("fidelity", "Mean of CorrelationSimilarity and ContingencySimilarity over all pairs of columns."),
    "CorrelationSimilarity": ("fidelity", "1 - half the difference of Pearson's r, for two numbers."),
    "ContingencySimilarity": (
        "fidelity",
        "1 - half the summed differences of the two-way table's cell shares; numbers binned at real deciles.",
    ),
    "C2ST_train": (
        "fidelity",
        "min(1, 2 (1 - AUC)) of boosted trees telling synthetic from real rows. Rewards copying: see C2ST_holdout.",
    ),
    "C2ST_holdout": ("fidelity", "The same against real rows that the generator never saw."),
    "C2ST_AUC_train": (
        "fidelity",
        "The AUC behind C2ST_train: 0.5 cannot tell, 1 always can, less than 0.5 points to copies.",
    ),
    "C2ST_AUC_holdout": ("fidelity", "The AUC behind C2ST_holdout."),
    "AlphaPrecision": (
        "fidelity",
        "Do synthetic rows fall inside the real rows' regions, at every level of typicality? (Alaa et al. 2022)",
    ),
    "Density": ("fidelity", "How many real 5-neighbourhoods hold a synthetic row, over 5. (Naeem et al. 2020)"),
    "TSTR_boosted_trees": (
        "utility",
        "Boosted trees fitted on synthetic rows, scored on real ones (AUC, R2). Ceiling: fitted on real rows.",
    ),
    "TSTR_linear_model": (
        "utility",
        "The same for logistic or ridge regression. Both intervals are over test rows only.",
    ),
    "ExactCopies": ("privacy", "Share of synthetic rows equal to a real row. Control: the same for holdout rows."),
    "IdReuse": ("privacy", "Share of synthetic ids that are ids of real rows."),
    "DCRShare": (
        "privacy",
        "Share of synthetic rows nearer to a real than to a holdout row; as many of both, one scaling, ties half.",
    ),
    "DCRMedian": ("privacy", "Median distance from a synthetic to its nearest real row. Control: from a holdout row."),
    "NNDR": (
        "privacy",
        "Mean ratio of the distances to the nearest and second nearest real row. Control: for holdout rows.",
    ),
    "MembershipDistance": (
        "privacy",
        "AUC of guessing who was in the training rows by the distance to the nearest synthetic row. 0.5: chance.",
    ),
    "MembershipDensity": (
        "privacy",
        "AUC of the same guess by the ratio of synthetic to reference density (boosted trees). 0.5: chance.",
    ),
    "MembershipTPR_1%": (
        "privacy",
        "Members found by the better of the two attacks while it names 1 % of the others. Chance: 0.01.",
    ),
    "MembershipTPR_0.1%": ("privacy", "The same at 0.1 %. Chance: 0.001."),
    "SinglingOut": (
        "privacy",
        "Share of guesses, read off synthetic rows, that fit exactly one real row. Control: exactly one holdout row.",
    ),
    "AttributeInference": (
        "privacy",
        "How often a cell of a real row is guessed from its other cells and synthetic rows. Control: holdout rows.",
    ),
    "CategoryCoverage": ("coverage", "Share of the real levels that occur."),
    "RangeCoverage": ("coverage", "Part of the real range, first to last percentile, that synthetic numbers span."),
    "EntropyRatio": ("coverage", "Entropy of a column over that of the real column; under 1 it holds less variety."),
    "DuplicateRate": ("coverage", "Share of rows that repeat another row of the same table."),
    "BetaRecall": ("coverage", "Do the real rows fall inside the synthetic rows' regions? (Alaa et al. 2022)"),
    "Coverage": ("coverage", "Share of real rows with a synthetic row among their 5 nearest. (Naeem et al. 2020)"),
    "DifferentBins": (
        "coverage",
        "Share of 50 regions whose share of rows differs at the 5 % level; chance: 0.05. (Richardson and Weiss 2018)",
    ),
    "RarestClass": ("coverage", "Share of the target's rarest class, over its real share (at most 1)."),
}
