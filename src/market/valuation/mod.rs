//! Valuation multiples at the close (P/E, P/S, P/B, EV/EBITDA, free cash flow yield), each with its inputs and dates.
//!
//! All of them rest on the market value: close times number of shares. The close and the figures have to be in one
//! currency, and the price has to be that of one of the shares counted; otherwise a multiple is refused with a reason.

mod trailing;

use std::fmt;

use chrono::NaiveDate;
pub use trailing::{Amount, Periods};

use super::{PriceCurrency, Shares, data::DILUTED_SHARES};
use crate::domain::shown::price;

/// What multiples are computed from.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The last close at the analysis date, as quoted.
    pub close: f64,
    /// The day of that close.
    pub day: NaiveDate,
    /// The currency or minor unit of the close; none if it is not known.
    pub unit: Option<PriceCurrency>,
    pub shares: Shares,
    /// Whether a vendor may be believed whose number of shares is not from filings. For a symbol of New York it may count
    /// the ordinary shares behind depositary shares.
    pub is_home_listing: bool,
    pub income: Periods,
    pub balance: Periods,
    pub cash: Periods,
}

/// The multiples at a close.
#[derive(Debug, Clone, PartialEq)]
pub struct Valuation {
    /// The currencies of the price and of the statements.
    currencies: String,
    /// Name, and the multiple with its inputs or the reason why there is none.
    multiples: Vec<(&'static str, Result<String, String>)>,
}

impl Valuation {
    /// Computes all multiples; none if nothing was filed that they could be computed from.
    pub fn new(inputs: &Inputs) -> Option<Self> {
        let is_empty = |periods: &Periods| periods.quarters.is_empty() && periods.years.is_empty();
        if [&inputs.income, &inputs.balance, &inputs.cash].into_iter().all(is_empty) {
            return None;
        }
        let currencies = inputs.currencies();
        let worth = match inputs.market_value() {
            Ok(worth) => worth,
            // Every multiple needs it, so one reason is enough.
            Err(reason) => return Some(Self { currencies, multiples: vec![("Multiples", Err(reason))] }),
        };
        let worth = &worth;
        Some(Self {
            currencies,
            multiples: vec![
                ("Market value", Ok(worth.to_string())),
                ("P/E", multiple(worth, inputs.trailing(&inputs.income, "Net income"))),
                ("P/S", multiple(worth, inputs.trailing(&inputs.income, "Revenue"))),
                ("P/B", multiple(worth, inputs.latest("Stockholders' equity"))),
                ("EV/EBITDA", inputs.enterprise_value(worth).and_then(|value| multiple(&value, inputs.ebitda()))),
                ("FCF yield", free_cash_flow_yield(worth, inputs.free_cash_flow())),
            ],
        })
    }

    /// Whether there is any multiple.
    pub fn has_any(&self) -> bool {
        self.multiples.iter().any(|(_, multiple)| multiple.is_ok())
    }
}

/// A line for each multiple.
impl fmt::Display for Valuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "- Currencies: {}", self.currencies)?;
        for (name, multiple) in &self.multiples {
            match multiple {
                Ok(text) => writeln!(f, "- {name}: {text}")?,
                Err(reason) => writeln!(f, "- {name}: not computed, {reason}")?,
            }
        }
        Ok(())
    }
}

/// An amount with its currency and basis.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} {} ({})", self.value, self.currency, self.basis)
    }
}

impl Inputs {
    /// The unit of the price and the currency of the statements, in words.
    fn currencies(&self) -> String {
        let statements = [&self.income, &self.balance, &self.cash].into_iter();
        let mut filed: Vec<_> =
            statements.flat_map(|periods| &periods.years).map(|period| period.currency.as_str()).collect();
        filed.extend(self.income.quarters.iter().map(|period| period.currency.as_str()));
        filed.retain(|currency| !currency.is_empty());
        filed.sort_unstable();
        filed.dedup();
        let filed = if filed.is_empty() { "not named".into() } else { filed.join(" and ") };
        format!(
            "price {}, statements {filed}",
            self.unit.as_ref().map_or_else(|| "not named".into(), PriceCurrency::to_string)
        )
    }

    /// The worth of all shares at the close.
    fn market_value(&self) -> Result<Amount, String> {
        let unit = self.unit.as_ref().ok_or("no vendor names the currency of the price")?;
        let (currency, units) = unit.main_unit();
        let (count, counted) = self.count()?;
        let value = finite(self.close / units * count)?;
        Ok(Amount {
            value,
            currency: currency.into(),
            end: self.day,
            basis: format!(
                "close of {} {} {} x {count:.0} shares, {counted}",
                self.day,
                price(self.close),
                unit.code()
            ),
        })
    }

    /// The number of shares, and of what day it is.
    fn count(&self) -> Result<(f64, String), String> {
        match &self.shares {
            Shares::OtherThanPriced(why) => Err(why.clone()),
            Shares::Outstanding { count, on, .. } => Ok((*count, format!("outstanding on {on}"))),
            Shares::Unknown => {
                let periods = self.income.quarters.iter().chain(&self.income.years);
                let with = periods.filter_map(|period| Some((period, period.figure(DILUTED_SHARES)?)));
                let newest = with.max_by_key(|(period, _)| period.end);
                let (period, figure) =
                    newest.filter(|(_, figure)| figure.value > 0.0).ok_or("no number of shares is known")?;
                if figure.tag.is_none() && !self.is_home_listing {
                    return Err(
                        "the number of shares is not from filings, so it may not be that of the shares priced; \
                                the setting CONTACT_EMAIL adds the filings of the SEC"
                            .into(),
                    );
                }
                Ok((figure.value, format!("diluted average of the period to {}", period.end)))
            }
        }
    }

    fn trailing(&self, periods: &Periods, name: &str) -> Result<Amount, String> {
        of_the(periods.trailing(name, self.day), name)
    }

    /// Two amounts of the same twelve months: the last ones, or those of the fiscal year if one of them lacks a quarter.
    fn both(&self, one: (&Periods, &str), other: (&Periods, &str)) -> Result<(Amount, Amount), String> {
        let (first, second) = (self.trailing(one.0, one.1)?, self.trailing(other.0, other.1)?);
        if first.end == second.end {
            return Ok((first, second));
        }
        let year = |(periods, name): (&Periods, &str)| of_the(periods.fiscal_year(name, self.day), name);
        Ok((year(one)?, year(other)?))
    }

    fn latest(&self, name: &str) -> Result<Amount, String> {
        let amount = self.balance.latest(name, self.day);
        let named = |amount: Amount| Amount { basis: format!("{} of {}", name.to_lowercase(), amount.basis), ..amount };
        amount.map(named).ok_or_else(|| format!("no {} is known", name.to_lowercase()))
    }

    /// Market value and debt less cash.
    fn enterprise_value(&self, worth: &Amount) -> Result<Amount, String> {
        let cash = self.latest("Cash and equivalents")?;
        let debt = self.latest("Total debt").or_else(|_| self.latest("Long-term debt")).ok();
        let amounts = debt.iter().chain([&cash]);
        if let Some(other) = amounts.into_iter().find(|amount| amount.currency != worth.currency) {
            return Err(currencies_differ(worth, other));
        }
        let owed = debt.as_ref().map_or(0.0, |debt| debt.value);
        let of_debt = debt.map_or_else(|| "no debt, for none is filed".into(), |debt| debt.to_string());
        Ok(Amount {
            value: worth.value + owed - cash.value,
            currency: worth.currency.clone(),
            end: worth.end,
            basis: format!("market value + {of_debt} - {cash}"),
        })
    }

    /// As the vendor has it, or operating income before depreciation and amortization.
    fn ebitda(&self) -> Result<Amount, String> {
        if let Ok(stated) = self.trailing(&self.income, "EBITDA") {
            return Ok(stated);
        }
        let (income, depreciation) =
            self.both((&self.income, "Operating income"), (&self.cash, "Depreciation and amortization"))?;
        sum(income, &depreciation, 1.0)
    }

    /// Operating cash flow less capital expenditure.
    fn free_cash_flow(&self) -> Result<Amount, String> {
        let (operating, spent) = self.both((&self.cash, "Operating cash flow"), (&self.cash, "Capital expenditure"))?;
        // Some vendors write expenditure as a negative number.
        let spent = Amount { value: spent.value.abs(), ..spent };
        sum(operating, &spent, -1.0)
    }
}

/// An amount of twelve months with its name.
fn of_the(amount: Option<Amount>, name: &str) -> Result<Amount, String> {
    let name = name.to_lowercase();
    let named = |amount: Amount| Amount { basis: format!("{name} of the {}", amount.basis), ..amount };
    amount.map(named).ok_or_else(|| format!("no {name} of the last 12 months is known"))
}

/// Two amounts of the same time, the second times `sign`.
fn sum(one: Amount, other: &Amount, sign: f64) -> Result<Amount, String> {
    if (one.end, &one.currency) != (other.end, &other.currency) {
        return Err(format!("{} and {} are of different times or currencies", one.basis, other.basis));
    }
    let operator = if sign < 0.0 { '-' } else { '+' };
    Ok(Amount {
        value: one.value + sign * other.value,
        basis: format!("{:.0} {} {operator} {:.0} {}", one.value, one.basis, other.value, other.basis),
        ..one
    })
}

/// How many times a figure the worth is.
fn multiple(worth: &Amount, of: Result<Amount, String>) -> Result<String, String> {
    let (worth, of) = comparable(worth, of)?;
    if of.value <= 0.0 {
        return Err(format!("{of} is not positive"));
    }
    Ok(format!("{:.2} = {} / {of}", finite(worth.value / of.value)?, brief(worth)))
}

fn free_cash_flow_yield(worth: &Amount, flow: Result<Amount, String>) -> Result<String, String> {
    let (worth, flow) = comparable(worth, flow)?;
    Ok(format!("{:.2} % = {flow} / {}", finite(flow.value / worth.value * 100.0)?, brief(worth)))
}

/// A number that can be printed.
fn finite(value: f64) -> Result<f64, String> {
    if value.is_finite() { Ok(value) } else { Err("the figures are too large or too small to divide".into()) }
}

/// Both, if they are in one currency.
fn comparable(worth: &Amount, of: Result<Amount, String>) -> Result<(&Amount, Amount), String> {
    let of = of?;
    if worth.currency == of.currency { Ok((worth, of)) } else { Err(currencies_differ(worth, &of)) }
}

fn currencies_differ(worth: &Amount, other: &Amount) -> String {
    let (price, filed) = (&worth.currency, &other.currency);
    let filed = if filed.is_empty() { "a currency that the vendor does not name" } else { filed };
    format!("the price is in {price} and the statements are in {filed}; no rate of that day is at hand")
}

/// An amount without its basis if a line above has it.
fn brief(worth: &Amount) -> String {
    let is_sum = worth.basis.starts_with("market value +");
    if is_sum { worth.to_string() } else { format!("market value {:.0} {}", worth.value, worth.currency) }
}

#[cfg(test)]
mod tests;
