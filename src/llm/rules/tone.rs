//! The rule on what the press writes. It counts words in the headlines on the instrument.

use super::{
    figures::sections,
    lexicon::{NEGATIVE, POSITIVE},
    rule::{Finding, Rule, Subject, sign},
};

/// The names of the figures.
pub const FIGURES: [&str; 2] = ["news_tone", "news_words"];

/// Fewer words of a tone say nothing.
const FEWEST: f64 = 5.0;

/// The rules on the press.
pub static RULES: [Rule; 1] = [Rule {
    subject: Subject::News,
    name: "News tone",
    formula: "up if news_tone > 0.33, down if it is < -0.33, and no vote if news_words < 5; news_tone is (positive - \
              negative) / news_words, where news_words are the positive and negative words in the headlines of a week",
    source: "Tetlock, Saar-Tsechansky and Macskassy, Journal of Finance 63(3), 2008: negative words in a company's news \
             precede low earnings and, for a day, low returns; the tone is that of Henry, Journal of Business \
             Communication 45(4), 2008, in words of finance as Loughran and McDonald, Journal of Finance 66(1), 2011, \
             ask for; words and limits are this program's",
    weakness: "it sees words and not what they mean: denials, irony and the news of others count as the company's own; \
               most of it is in the price already",
    weight: 1.0,
    judge: |figures| {
        let (tone, words) = (figures.get("news_tone")?, figures.get("news_words")?);
        let because = format!("the tone of {words:.0} words in the headlines is {tone:+.2}");
        (words >= FEWEST).then(|| Finding { vote: sign(tone, 0.33), because })
    },
}];

/// The figures that the evidence in a prompt gives.
pub fn figures(text: &str) -> impl Iterator<Item = (&'static str, f64)> {
    let (mut positive, mut negative) = (0.0, 0.0);
    for word in headlines(text).flat_map(words) {
        positive += f64::from(u8::from(POSITIVE.contains(&word.as_str())));
        negative += f64::from(u8::from(NEGATIVE.contains(&word.as_str())));
    }
    let count = positive + negative;
    let values = if count > 0.0 { vec![(positive - negative) / count, count] } else { Vec::new() };
    FIGURES.into_iter().zip(values)
}

/// The titles of the articles on the instrument, which are bold in their list.
fn headlines(text: &str) -> impl Iterator<Item = &str> {
    let on_it = |heading: &str| heading.starts_with("News on ") && !heading.starts_with("News on the markets");
    let lists = sections(text).filter(move |(heading, _)| on_it(heading)).flat_map(|(_, list)| list.lines());
    lists.filter_map(|line| Some(line.split_once(" **")?.1.split_once("** (")?.0))
}

fn words(headline: &str) -> impl Iterator<Item = String> {
    headline.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::rules::figures::Figures;

    const NEWS: &str = "# Evidence\n\n## News on AAPL, 2012-09-12 to 2012-09-19 (vendor x)\n\n\
        - 2012-09-18 **Apple beats estimates, shares SURGE** (Reuters): They might still fall.\n\
        - 2012-09-17 **Record-strong demand; one lawsuit** (Bloomberg, tone: Bearish)\n\n\
        ## News on the markets, 2012-09-12 to 2012-09-19 (vendor x)\n\n- 2012-09-18 **Stocks plunge on fears** (AP)\n";

    #[test]
    fn the_words_of_the_headlines_on_the_instrument_are_counted_and_no_others() {
        let found: Vec<_> = figures(NEWS).collect();
        assert_eq!(found, [("news_tone", 0.5), ("news_words", 4.0)]);
        assert_eq!(figures("- 2012-09-18 **Stocks plunge** (AP)").count(), 0);
    }

    #[test]
    fn a_clear_tone_of_enough_words_is_a_vote() {
        let vote = |tone, words| {
            let finding = (RULES[0].judge)(&Figures::from([("news_tone", tone), ("news_words", words)]));
            finding.map(|finding| finding.vote)
        };
        assert_eq!(
            [vote(1.0, 4.0), vote(0.6, 5.0), vote(0.2, 5.0), vote(-0.6, 5.0)],
            [None, Some(1), Some(0), Some(-1)]
        );
    }

    #[test]
    fn no_word_has_two_tones_and_all_are_in_order() {
        assert!(POSITIVE.is_sorted() && NEGATIVE.is_sorted());
        assert!(POSITIVE.iter().all(|word| !NEGATIVE.contains(word)));
    }

    #[test]
    fn the_documentation_has_the_words() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RULES.md")).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for (tone, words) in [("Positive", POSITIVE), ("Negative", NEGATIVE)] {
            let line = format!("**{tone}**: {}.", words.join(", "));
            assert!(text.contains(&line), "put this into docs/RULES.md: {line}");
        }
    }
}
