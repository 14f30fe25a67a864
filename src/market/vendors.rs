//! All vendors, and the market of those that are chosen.

use std::{path::PathBuf, sync::Arc};

use secrecy::SecretString;

use super::{
    CsvFolder, Market, Names, Sample, Sources, Web, WebOptions,
    alpha_vantage::AlphaVantage,
    fred::Fred,
    google_news::GoogleNews,
    polymarket::Polymarket,
    reddit::Reddit,
    sec_edgar::SecEdgar,
    source::{FundamentalSource, InsiderSource, MacroSource, NewsSource, PredictionSource, PriceSource, SocialSource},
    stocktwits::StockTwits,
    tiingo::Tiingo,
    yahoo::Yahoo,
};
use crate::domain::Vendor;

/// What lets this program in where not everybody is.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    pub alpha_vantage: Option<SecretString>,
    pub fred: Option<SecretString>,
    pub tiingo: Option<SecretString>,
    /// An e-mail address for the SEC.
    pub contact: Option<String>,
}

/// Which vendors are asked for what, in order. A vendor that has no such data is passed over.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choice {
    pub prices: Vec<Vendor>,
    pub profile: Vec<Vendor>,
    pub balance_sheet: Vec<Vendor>,
    pub cash_flow: Vec<Vendor>,
    pub income_statement: Vec<Vendor>,
    pub news: Vec<Vendor>,
    pub global_news: Vec<Vendor>,
    pub insiders: Vec<Vendor>,
    pub social: Vec<Vendor>,
    pub macros: Vec<Vendor>,
    pub predictions: Vec<Vendor>,
}

/// Every vendor that there is. They share one way to the network and one cache, so one is made for a whole process.
pub struct Vendors {
    names: Arc<Names>,
    csv: Option<Arc<CsvFolder>>,
    sample: Arc<Sample>,
    yahoo: Arc<Yahoo>,
    alpha_vantage: Arc<AlphaVantage>,
    tiingo: Arc<Tiingo>,
    sec_edgar: Arc<SecEdgar>,
    google_news: Arc<GoogleNews>,
    fred: Arc<Fred>,
    polymarket: Arc<Polymarket>,
    stock_twits: Arc<StockTwits>,
    reddit: Arc<Reddit>,
}

impl Vendors {
    /// The vendors, of which none is asked yet.
    pub fn new(web: WebOptions, keys: Keys, csv_folder: Option<PathBuf>) -> Self {
        let web = Arc::new(Web::new(web));
        let yahoo = Arc::new(Yahoo::new(web.clone()));
        let sec_edgar = Arc::new(SecEdgar::new(web.clone(), keys.contact));
        let names = Arc::new(Names::new(vec![yahoo.clone(), sec_edgar.clone()]));
        Self {
            csv: csv_folder.map(|folder| Arc::new(CsvFolder::new(folder))),
            sample: Arc::new(Sample),
            alpha_vantage: Arc::new(AlphaVantage::new(web.clone(), keys.alpha_vantage)),
            tiingo: Arc::new(Tiingo::new(web.clone(), keys.tiingo)),
            sec_edgar,
            google_news: Arc::new(GoogleNews::new(web.clone(), names.clone())),
            fred: Arc::new(Fred::new(web.clone(), keys.fred)),
            polymarket: Arc::new(Polymarket::new(web.clone())),
            stock_twits: Arc::new(StockTwits::new(web.clone())),
            reddit: Arc::new(Reddit::new(web)),
            yahoo,
            names,
        }
    }

    /// The market of the chosen vendors.
    pub fn market(&self, choice: &Choice) -> Market {
        let remote = choice.lists().iter().any(|(_, list)| list.iter().any(|vendor| vendor.is_remote()));
        Market {
            prices: pick(&choice.prices, |vendor| self.prices(vendor)),
            // Names come from the network, so they are asked for only where it is used at all.
            names: remote.then(|| self.names.clone()),
            profiles: pick(&choice.profile, |vendor| self.fundamentals(vendor)),
            balance_sheets: pick(&choice.balance_sheet, |vendor| self.fundamentals(vendor)),
            cash_flows: pick(&choice.cash_flow, |vendor| self.fundamentals(vendor)),
            income_statements: pick(&choice.income_statement, |vendor| self.fundamentals(vendor)),
            news: pick(&choice.news, |vendor| self.news(vendor)),
            global_news: pick(&choice.global_news, |vendor| self.news(vendor)),
            insiders: pick(&choice.insiders, |vendor| self.insiders(vendor)),
            social: pick(&choice.social, |vendor| self.social(vendor)),
            macros: pick(&choice.macros, |vendor| self.macros(vendor)),
            predictions: pick(&choice.predictions, |vendor| self.predictions(vendor)),
        }
    }

    fn prices(&self, vendor: Vendor) -> Option<Arc<dyn PriceSource>> {
        match vendor {
            Vendor::Csv => Some(self.csv.clone()?),
            Vendor::Sample => Some(self.sample.clone()),
            Vendor::Yahoo => Some(self.yahoo.clone()),
            Vendor::AlphaVantage => Some(self.alpha_vantage.clone()),
            Vendor::Tiingo => Some(self.tiingo.clone()),
            _ => None,
        }
    }

    fn fundamentals(&self, vendor: Vendor) -> Option<Arc<dyn FundamentalSource>> {
        match vendor {
            Vendor::SecEdgar => Some(self.sec_edgar.clone()),
            Vendor::Yahoo => Some(self.yahoo.clone()),
            Vendor::AlphaVantage => Some(self.alpha_vantage.clone()),
            _ => None,
        }
    }

    fn news(&self, vendor: Vendor) -> Option<Arc<dyn NewsSource>> {
        match vendor {
            Vendor::Yahoo => Some(self.yahoo.clone()),
            Vendor::GoogleNews => Some(self.google_news.clone()),
            Vendor::AlphaVantage => Some(self.alpha_vantage.clone()),
            _ => None,
        }
    }

    fn insiders(&self, vendor: Vendor) -> Option<Arc<dyn InsiderSource>> {
        match vendor {
            Vendor::Yahoo => Some(self.yahoo.clone()),
            Vendor::AlphaVantage => Some(self.alpha_vantage.clone()),
            _ => None,
        }
    }

    fn social(&self, vendor: Vendor) -> Option<Arc<dyn SocialSource>> {
        match vendor {
            Vendor::StockTwits => Some(self.stock_twits.clone()),
            Vendor::Reddit => Some(self.reddit.clone()),
            _ => None,
        }
    }

    fn macros(&self, vendor: Vendor) -> Option<Arc<dyn MacroSource>> {
        (vendor == Vendor::Fred).then(|| self.fred.clone() as Arc<dyn MacroSource>)
    }

    fn predictions(&self, vendor: Vendor) -> Option<Arc<dyn PredictionSource>> {
        (vendor == Vendor::Polymarket).then(|| self.polymarket.clone() as Arc<dyn PredictionSource>)
    }
}

impl Choice {
    /// Each kind of data with its vendors.
    pub fn lists(&self) -> [(&'static str, &[Vendor]); 11] {
        [
            ("prices", &self.prices),
            ("profile", &self.profile),
            ("balance sheet", &self.balance_sheet),
            ("cash flow", &self.cash_flow),
            ("income statement", &self.income_statement),
            ("news", &self.news),
            ("global news", &self.global_news),
            ("insiders", &self.insiders),
            ("social media", &self.social),
            ("macro series", &self.macros),
            ("prediction markets", &self.predictions),
        ]
    }

    /// Without the vendors that `keep` refuses.
    pub fn retain(&mut self, keep: impl Fn(Vendor) -> bool) {
        let lists = [
            &mut self.prices,
            &mut self.profile,
            &mut self.balance_sheet,
            &mut self.cash_flow,
            &mut self.income_statement,
            &mut self.news,
            &mut self.global_news,
            &mut self.insiders,
            &mut self.social,
            &mut self.macros,
            &mut self.predictions,
        ];
        for list in lists {
            list.retain(|vendor| keep(*vendor));
        }
    }
}

fn pick<S: ?Sized>(chosen: &[Vendor], find: impl Fn(Vendor) -> Option<Arc<S>>) -> Sources<S> {
    chosen.iter().filter_map(|vendor| find(*vendor)).collect()
}
