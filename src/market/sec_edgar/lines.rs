//! The lines of the statements, and the tags that companies file them under.

use super::super::{
    StatementKind,
    data::{DILUTED_SHARES, EARNINGS_PER_SHARE},
};

/// A taxonomy of tags. A company uses one of them at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taxonomy {
    UsGaap,
    Ifrs,
}

impl Taxonomy {
    pub const ALL: [Self; 2] = [Self::UsGaap, Self::Ifrs];

    /// The name in the SEC's files.
    pub fn name(self) -> &'static str {
        match self {
            Self::UsGaap => "us-gaap",
            Self::Ifrs => "ifrs-full",
        }
    }

    /// The name in prose.
    pub fn title(self) -> &'static str {
        match self {
            Self::UsGaap => "US GAAP",
            Self::Ifrs => "IFRS",
        }
    }
}

/// Unit of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Money,
    PerShare,
    Shares,
}

/// Tags in groups. Those of a group mean the same, and a company may change from one to another; of the groups the first
/// that has a figure counts.
type Groups = &'static [&'static [&'static str]];

/// A line of a statement.
#[derive(Debug)]
pub struct Line {
    pub name: &'static str,
    pub unit: Unit,
    us_gaap: Groups,
    ifrs: Groups,
}

impl Line {
    /// Its tags in a taxonomy.
    pub fn groups(&self, taxonomy: Taxonomy) -> Groups {
        match taxonomy {
            Taxonomy::UsGaap => self.us_gaap,
            Taxonomy::Ifrs => self.ifrs,
        }
    }
}

const fn money(name: &'static str, us_gaap: Groups, ifrs: Groups) -> Line {
    Line { name, unit: Unit::Money, us_gaap, ifrs }
}

/// The name of the line whose tag [`super::revenue`] chooses.
pub const REVENUE: &str = "Revenue";
pub const COST: &str = "Cost of revenue";
pub const GROSS_PROFIT: &str = "Gross profit";
pub const TOTAL_DEBT: &str = "Total debt";

/// The lines of a statement, in the order in which they are shown.
pub fn lines(kind: StatementKind) -> &'static [Line] {
    match kind {
        StatementKind::Income => &INCOME,
        StatementKind::BalanceSheet => &BALANCE,
        StatementKind::CashFlow => &CASH,
    }
}

static INCOME: [Line; 7] = [
    money(
        REVENUE,
        &[&[
            NET_OF_INTEREST,
            "Revenues",
            EXCLUDING_TAX,
            "SalesRevenueNet",
            INCLUDING_TAX,
            "RegulatedAndUnregulatedOperatingRevenue",
            "HealthCareOrganizationRevenue",
            "RealEstateRevenueNet",
            "OilAndGasRevenue",
            "OperatingLeasesIncomeStatementLeaseRevenue",
            "SalesRevenueGoodsNet",
            "SalesRevenueServicesNet",
        ]],
        &[&[
            "Revenue",
            "RevenueFromContractsWithCustomers",
            "RevenueAndOperatingIncome",
            "InsuranceRevenue",
            "RevenueFromSaleOfGoods",
            "RevenueFromRenderingOfServices",
        ]],
    ),
    money(
        COST,
        &[&["CostOfRevenue"], &["CostOfGoodsAndServicesSold"], &["CostOfGoodsSold"], &["CostOfServices"]],
        &[&["CostOfSales"]],
    ),
    money(GROSS_PROFIT, &[&["GrossProfit"]], &[&["GrossProfit"]]),
    money("Operating income", &[&["OperatingIncomeLoss"]], &[&["ProfitLossFromOperatingActivities"]]),
    money(
        "Net income",
        &[&["NetIncomeLoss"], &["ProfitLoss"]],
        &[&["ProfitLossAttributableToOwnersOfParent"], &["ProfitLoss"]],
    ),
    Line {
        name: EARNINGS_PER_SHARE,
        unit: Unit::PerShare,
        us_gaap: &[&["EarningsPerShareDiluted"], &["EarningsPerShareBasicAndDiluted"]],
        ifrs: &[&["DilutedEarningsLossPerShare"], &["BasicAndDilutedEarningsLossPerShare"]],
    },
    Line {
        name: DILUTED_SHARES,
        unit: Unit::Shares,
        us_gaap: &[
            &["WeightedAverageNumberOfDilutedSharesOutstanding"],
            &["WeightedAverageNumberOfShareOutstandingBasicAndDiluted"],
        ],
        ifrs: &[&["AdjustedWeightedAverageShares"]],
    },
];

static BALANCE: [Line; 7] = [
    money("Total assets", &[&["Assets"]], &[&["Assets"]]),
    money("Current assets", &[&["AssetsCurrent"]], &[&["CurrentAssets"]]),
    money(
        "Cash and equivalents",
        &[
            &["CashAndCashEquivalentsAtCarryingValue"],
            &["CashCashEquivalentsRestrictedCashAndRestrictedCashEquivalents"],
            &["CashAndDueFromBanks"],
        ],
        &[&["CashAndCashEquivalents"]],
    ),
    money("Total liabilities", &[&["Liabilities"]], &[&["Liabilities"]]),
    money("Current liabilities", &[&["LiabilitiesCurrent"]], &[&["CurrentLiabilities"]]),
    // Filed by few; else the sum of its parts, see `PARTS_OF_DEBT`.
    money(TOTAL_DEBT, &[&["DebtLongtermAndShorttermCombinedAmount"]], &[&["Borrowings"]]),
    money(
        "Stockholders' equity",
        &[&["StockholdersEquity"], &["StockholdersEquityIncludingPortionAttributableToNoncontrollingInterest"]],
        &[&["EquityAttributableToOwnersOfParent"], &["Equity"]],
    ),
];

static CASH: [Line; 5] = [
    money(
        "Operating cash flow",
        &[
            &["NetCashProvidedByUsedInOperatingActivities"],
            &["NetCashProvidedByUsedInOperatingActivitiesContinuingOperations"],
        ],
        // Some filers tag only cash from operations before interest and taxes ("…InOperations").
        &[&["CashFlowsFromUsedInOperatingActivities"], &["CashFlowsFromUsedInOperations"]],
    ),
    money(
        "Investing cash flow",
        &[
            &["NetCashProvidedByUsedInInvestingActivities"],
            &["NetCashProvidedByUsedInInvestingActivitiesContinuingOperations"],
        ],
        &[&["CashFlowsFromUsedInInvestingActivities"]],
    ),
    money(
        "Financing cash flow",
        &[
            &["NetCashProvidedByUsedInFinancingActivities"],
            &["NetCashProvidedByUsedInFinancingActivitiesContinuingOperations"],
        ],
        &[&["CashFlowsFromUsedInFinancingActivities"]],
    ),
    money(
        "Capital expenditure",
        &[&[
            "PaymentsToAcquirePropertyPlantAndEquipment",
            "PaymentsToAcquireProductiveAssets",
            "PaymentsForCapitalImprovements",
            "PaymentsToAcquireOilAndGasPropertyAndEquipment",
            "PaymentsToAcquireOtherPropertyPlantAndEquipment",
        ]],
        &[&[
            "PurchaseOfPropertyPlantAndEquipmentClassifiedAsInvestingActivities",
            "PurchaseOfPropertyPlantAndEquipmentIntangibleAssetsOtherThanGoodwillInvestmentPropertyAndOtherNoncurrentAssets",
        ]],
    ),
    money(
        "Depreciation and amortization",
        &[
            &["DepreciationDepletionAndAmortization", "DepreciationAmortizationAndAccretionNet"],
            &["DepreciationAndAmortization"],
        ],
        &[&["AdjustmentsForDepreciationAndAmortisationExpense"], &["DepreciationAndAmortisationExpense"]],
    ),
];

/// Total net revenue of a bank or broker: its gross total less the interest that it paid.
pub const NET_OF_INTEREST: &str = "RevenuesNetOfInterestExpense";
pub const EXCLUDING_TAX: &str = "RevenueFromContractWithCustomerExcludingAssessedTax";
pub const INCLUDING_TAX: &str = "RevenueFromContractWithCustomerIncludingAssessedTax";
/// Sales and excise taxes that are part of the price.
pub const SALES_TAXES: &str = "ExciseAndSalesTaxes";

/// Interest that a bank or broker paid.
pub const INTEREST_PAID: &str = "InterestExpense";

/// A company without a tag for its total revenue may have both parts of it; the third text names the sum. Net interest
/// income may itself be a difference, see [`super::book`].
pub fn parts_of_revenue(taxonomy: Taxonomy) -> &'static [[&'static str; 3]] {
    match taxonomy {
        Taxonomy::UsGaap => &[
            [NET_INTEREST, "NoninterestIncome", "InterestIncomeExpenseNet + NoninterestIncome"],
            ["SalesRevenueGoodsNet", "SalesRevenueServicesNet", "SalesRevenueGoodsNet + SalesRevenueServicesNet"],
        ],
        Taxonomy::Ifrs => &[[
            "RevenueFromSaleOfGoods",
            "RevenueFromRenderingOfServices",
            "RevenueFromSaleOfGoods + RevenueFromRenderingOfServices",
        ]],
    }
}

/// Interest earned less interest paid.
pub const NET_INTEREST: &str = "InterestIncomeExpenseNet";
/// Interest earned by a bank.
pub const GROSS_INTEREST: &str = "InterestAndDividendIncomeOperating";

/// The parts of total debt: for each part the tags that it may have, of which the first counts. The first list whose
/// first part is there is used.
pub fn parts_of_debt(taxonomy: Taxonomy) -> &'static [&'static [&'static [&'static str]]] {
    match taxonomy {
        // "DebtCurrent" has all that is due within a year, and "LongTermDebt" what of it was long-term once.
        Taxonomy::UsGaap => &[
            &[&["DebtCurrent"], &["LongTermDebtNoncurrent", "LongTermDebtAndCapitalLeaseObligations"]],
            &[
                &["LongTermDebtNoncurrent", "LongTermDebtAndCapitalLeaseObligations"],
                &["LongTermDebtCurrent", "LongTermDebtAndCapitalLeaseObligationsCurrent"],
                &["ShortTermBorrowings", "CommercialPaper"],
            ],
            &[&["LongTermDebt"], &["ShortTermBorrowings", "CommercialPaper"]],
            &[&["ShortTermBorrowings", "CommercialPaper"]],
        ],
        Taxonomy::Ifrs => &[&[
            &["NoncurrentPortionOfNoncurrentBorrowings", "LongtermBorrowings"],
            &["CurrentBorrowingsAndCurrentPortionOfNoncurrentBorrowings", "CurrentPortionOfLongtermBorrowings"],
            &["ShorttermBorrowings"],
        ]],
    }
}
