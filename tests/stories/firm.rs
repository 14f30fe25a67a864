//! The firm at work with a model server at the wire: who is asked what, in which order, and what becomes of it.

use std::sync::{Mutex, atomic::AtomicBool};

use async_trait::async_trait;
use serde_json::json;
use tradingagents::{
    agents::{AgentError, Analysis, Brief, Firm, Models, Observer, ReadingLimits, Step},
    domain::{Agent, Analyst, AssetType, DecisionSource, Provider, Rating},
    llm::{self, Backend, ollama},
    market::{Market, Sample},
    memory::DecisionLog,
};

use crate::support::llm::{FakeLlm, Trouble, backend};

pub fn brief() -> Brief {
    Brief {
        ticker: "AAPL".parse().unwrap(),
        date: "2012-09-19".parse().unwrap(),
        asset: AssetType::Stock,
        analysts: Analyst::ALL.to_vec(),
        max_debate_rounds: 1,
        max_risk_rounds: 1,
        output_language: "English".into(),
    }
}

pub fn firm(llm: &FakeLlm) -> Firm {
    firm_with_context(llm, 32_768)
}

fn firm_with_context(llm: &FakeLlm, num_ctx: u32) -> Firm {
    let usual = backend(Provider::Ollama, &llm.url());
    let backend = Backend { ollama: ollama::Options { num_ctx, ..usual.ollama }, ..usual };
    let model = |name| llm::connect(&backend, name).unwrap();
    Firm {
        models: Models { deep: model("deep"), quick: model("quick") },
        market: Market::new(vec![std::sync::Arc::new(Sample)]),
        analyst_concurrency: 4,
        max_tool_rounds: 3,
        reading: ReadingLimits::default(),
        benchmark: None,
        memory: DecisionLog::new("/nowhere"),
    }
}

/// Hears everything, and says whether to hurry.
#[derive(Default)]
pub struct Witness {
    pub steps: Mutex<Vec<Step>>,
    pub checkpoints: Mutex<Vec<Analysis>>,
    /// The states in the middle of turns.
    pub progress: Mutex<Vec<Analysis>>,
    hurry: AtomicBool,
}

#[async_trait]
impl Observer for Witness {
    async fn step(&self, step: Step) {
        self.steps.lock().unwrap().push(step);
    }

    async fn checkpoint(&self, analysis: &Analysis) {
        self.checkpoints.lock().unwrap().push(analysis.clone());
    }

    async fn progress(&self, analysis: &Analysis) {
        self.progress.lock().unwrap().push(analysis.clone());
    }

    fn must_hurry(&self) -> bool {
        self.hurry.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Witness {
    /// The agents in the order in which they ended.
    pub fn finished(&self) -> Vec<Agent> {
        let steps = self.steps.lock().unwrap();
        let ended =
            steps.iter().filter_map(|step| if let Step::Finished { agent, .. } = step { Some(*agent) } else { None });
        ended.collect()
    }
}

async fn analyse(llm: &FakeLlm, brief: Brief, witness: &Witness) -> Result<Analysis, AgentError> {
    firm(llm).run(Analysis::new(brief), witness).await
}

#[tokio::test]
async fn the_analysts_work_at_the_same_time_and_all_others_in_order() {
    let llm = FakeLlm::start().await;
    llm.answers_only(0);
    let witness = Witness::default();
    let all_four_ask_before_one_is_answered = async {
        llm.was_asked(4).await;
        llm.answers_all();
    };
    let (analysis, ()) = tokio::join!(analyse(&llm, brief(), &witness), all_four_ask_before_one_is_answered);
    assert_eq!(witness.finished()[4..], Agent::ALL[4..]);
    let analysis = analysis.unwrap();
    assert_eq!(analysis.outcome.unwrap().rating, Rating::Buy);
    assert_eq!(analysis.reports.len(), 4);
}

#[tokio::test]
async fn only_the_two_managers_think_with_the_deep_model() {
    let llm = FakeLlm::start().await;
    let analysis = analyse(&llm, brief(), &Witness::default()).await.unwrap();
    for step in &analysis.steps {
        let manager = matches!(step.agent, Agent::ResearchManager | Agent::PortfolioManager);
        assert_eq!(step.model, if manager { "ollama/deep" } else { "ollama/quick" }, "{}", step.agent);
    }
}

#[tokio::test]
async fn debates_go_on_for_as_many_rounds_as_were_asked_for() {
    let llm = FakeLlm::start().await;
    let brief = Brief { max_debate_rounds: 3, max_risk_rounds: 2, ..brief() };
    let analysis = analyse(&llm, brief, &Witness::default()).await.unwrap();
    assert_eq!((analysis.debate.turns.len(), analysis.risk_debate.turns.len()), (6, 6));
    assert!(analysis.debate.turns[2].1.starts_with("Bull Analyst: "));
    assert!(analysis.risk_debate.turns[5].1.starts_with("Neutral Analyst: "));
}

#[tokio::test]
async fn when_time_is_short_no_round_begins_but_there_is_a_decision() {
    let llm = FakeLlm::start().await;
    let witness = Witness { hurry: true.into(), ..Witness::default() };
    let analysis = analyse(&llm, brief(), &witness).await.unwrap();
    assert_eq!((analysis.debate.turns.len(), analysis.risk_debate.turns.len()), (0, 0));
    assert!(analysis.outcome.is_some());
    assert_eq!(analysis.warnings.iter().filter(|warning| warning.contains("soft time limit")).count(), 2);
}

#[tokio::test]
async fn an_analysis_goes_on_from_every_checkpoint_to_the_same_end() {
    let llm = FakeLlm::start().await;
    let witness = Witness::default();
    let whole = analyse(&llm, brief(), &witness).await.unwrap();
    let checkpoints = witness.checkpoints.into_inner().unwrap();
    assert_eq!(checkpoints.len(), 12);
    for checkpoint in checkpoints {
        let stored = serde_json::from_slice(&serde_json::to_vec(&checkpoint).unwrap()).unwrap();
        let rest = Witness::default();
        let resumed = firm(&llm).run(stored, &rest).await.unwrap();
        assert_eq!(rest.finished().len(), 12 - checkpoint.steps.len());
        assert_eq!((&resumed.debate, &resumed.risk_debate), (&whole.debate, &whole.risk_debate));
        assert_eq!(resumed.outcome, whole.outcome);
        assert_eq!(resumed.usage(), whole.usage());
    }
}

/// A report without the time at which its prices were retrieved.
fn timeless(report: &str) -> &str {
    report.split("retrieved at").next().unwrap()
}

#[tokio::test]
async fn an_analysis_that_was_cut_in_mid_turn_asks_nothing_twice_and_ends_the_same() {
    let llm = FakeLlm::start().await;
    // The four ask before one is answered, so that each state is in the middle of several turns.
    llm.answers_only(0);
    let witness = Witness::default();
    let at_the_same_time = async {
        llm.was_asked(4).await;
        llm.answers_all();
    };
    let (whole, ()) = tokio::join!(analyse(&llm, brief(), &witness), at_the_same_time);
    let (whole, all) = (whole.unwrap(), llm.requests().len() as u64);
    assert_eq!(whole.usage().calls, all);
    let states = witness.progress.into_inner().unwrap();
    assert_eq!(states.len() as u64, all, "every answer is stored");
    for state in states {
        let heard = state.unfinished.values().map(|turn| turn.answers.len() as u64).sum::<u64>() + state.usage().calls;
        let stored = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
        let before = llm.requests().len() as u64;
        let resumed = firm(&llm).run(stored, &Witness::default()).await.unwrap();
        assert_eq!(llm.requests().len() as u64 - before, all - heard, "what was answered is not asked again");
        assert_eq!(resumed.usage(), whole.usage());
        assert!(resumed.unfinished.is_empty());
        for (analyst, report) in &whole.reports {
            assert_eq!(timeless(&resumed.reports[analyst]), timeless(report));
        }
        let tools = |analysis: &Analysis| analysis.steps.iter().map(|step| step.tools.len()).sum::<usize>();
        assert_eq!(tools(&resumed), tools(&whole));
        assert_eq!((&resumed.debate, &resumed.risk_debate), (&whole.debate, &whole.risk_debate));
        assert_eq!((&resumed.outcome, &resumed.warnings.len()), (&whole.outcome, &whole.warnings.len()));
    }
}

#[tokio::test]
async fn every_agent_is_told_the_verified_figures_and_the_date() {
    let llm = FakeLlm::start().await;
    analyse(&llm, brief(), &Witness::default()).await.unwrap();
    for request in llm.requests() {
        let context = request.body["messages"][0]["content"].as_str().unwrap();
        assert!(context.contains("Analysis date: 2012-09-19"), "{context}");
        assert!(context.contains("| rsi |") && context.contains("Row of 2012-09-19"), "{context}");
    }
}

#[tokio::test]
async fn the_context_of_all_prompts_is_the_same_so_that_caches_hit() {
    let llm = FakeLlm::start().await;
    analyse(&llm, brief(), &Witness::default()).await.unwrap();
    let requests = llm.requests();
    assert!(requests.iter().all(|request| request.body["messages"][0] == requests[0].body["messages"][0]));
}

#[tokio::test]
async fn a_model_without_tools_gets_its_evidence_in_the_prompt() {
    let llm = FakeLlm::start().await;
    llm.knows_no_tools();
    let analysis = analyse(&llm, brief(), &Witness::default()).await.unwrap();
    let requests = llm.requests();
    assert!(requests.iter().all(|request| request.body.get("tools").is_none()));
    let market = analysis.steps.iter().find(|step| step.agent == Agent::MarketAnalyst).unwrap();
    let called: Vec<_> = market.tools.iter().map(|tool| tool.tool.as_str()).collect();
    assert_eq!(called, ["get_stock_data", "get_indicators"]);
    assert!(format!("{:?}", market.messages).contains("Date,Open,High,Low,Close,Volume"));
}

#[tokio::test]
async fn a_model_that_has_to_be_fetched_is_seen_coming_before_the_first_agent_begins() {
    let llm = FakeLlm::start().await;
    llm.lacks_models([]);
    let witness = Witness::default();
    analyse(&llm, brief(), &witness).await.unwrap();
    let steps = witness.steps.into_inner().unwrap();
    let begins = steps.iter().position(|step| matches!(step, Step::Started { .. })).unwrap();
    let last = Step::ModelPull { model: "quick".into(), percent: 100 };
    assert_eq!((&steps[0], &steps[begins - 2..begins]), (&Step::Preparing, &[last, Step::Ready][..]));
    assert_eq!(llm.pulls(), 1);
}

#[tokio::test]
async fn evidence_that_had_no_room_is_told_in_the_result() {
    let llm = FakeLlm::start().await;
    let call = r#"{"name": "get_stock_data", "arguments": {"start_date": "2011-09-01", "end_date": "2012-09-19"}}"#;
    llm.will([Trouble::Says(call)]);
    let brief = Brief { analysts: vec![Analyst::Market], ..brief() };
    let firm = firm_with_context(&llm, 4096);
    let analysis = firm.run(Analysis::new(brief), &Witness::default()).await.unwrap();
    assert!(
        analysis.warnings[0].contains("the 1 oldest answers of its tools were left out"),
        "{:?}",
        analysis.warnings
    );
    assert_eq!((analysis.steps[0].left_out, analysis.steps[1].left_out), (1, 0));
}

#[tokio::test]
async fn evidence_in_the_prompt_of_a_model_without_tools_is_left_out_where_it_has_no_room() {
    let llm = FakeLlm::start().await;
    llm.knows_no_tools();
    let brief = Brief { analysts: vec![Analyst::Market], ..brief() };
    let firm = firm_with_context(&llm, 2048);
    let analysis = firm.run(Analysis::new(brief), &Witness::default()).await.unwrap();
    let prompt = &llm.requests()[0].body["messages"][1]["content"];
    let prompt = prompt.as_str().unwrap();
    assert!(!prompt.contains("Date,Open,High,Low,Close,Volume"), "the bars are the oldest: {prompt}");
    assert!(prompt.contains("(left out: ") && prompt.contains("## rsi since"), "{prompt}");
    assert!(
        analysis.warnings[0].contains("the 1 oldest answers of its tools were left out"),
        "{:?}",
        analysis.warnings
    );
}

#[tokio::test]
async fn a_model_that_calls_tools_for_ever_is_made_to_answer() {
    let llm = FakeLlm::start().await;
    let call = r#"{"name": "get_indicators", "arguments": {"indicator": "rsi,nonsense"}}"#;
    llm.will(std::iter::repeat_n(Trouble::Says(call), 3));
    let witness = Witness::default();
    let analysis = analyse(&llm, Brief { analysts: vec![Analyst::Market], ..brief() }, &witness).await.unwrap();
    let market = &analysis.steps[0];
    assert_eq!((market.tools.len(), market.usage.calls), (3, 4));
    assert!(market.tools[0].error.as_ref().unwrap().contains("there is no indicator \"nonsense\""));
    let last = &llm.requests()[3].body;
    assert!(last.get("tools").is_none());
    assert!(last["messages"].to_string().contains("Write your report now"));
}

#[tokio::test]
async fn an_answer_without_its_form_is_repaired_once() {
    let llm = FakeLlm::start().await;
    let witness = Witness::default();
    // The last chat but the repairs is the portfolio manager's.
    let to_the_end = analyse(&llm, Brief { analysts: vec![Analyst::News], ..brief() }, &witness).await.unwrap();
    let before_the_end = Analysis { outcome: None, ..to_the_end };

    llm.will([Trouble::Says("I would rather not use JSON.")]);
    let repaired = firm(&llm).run(before_the_end.clone(), &Witness::default()).await.unwrap();
    assert_eq!(repaired.outcome.unwrap().source, DecisionSource::Repaired);
    let request = llm.requests().pop().unwrap();
    assert!(request.body["messages"].to_string().contains("there is no JSON object in it"));

    llm.will([Trouble::Says("No."), Trouble::Says("My final rating: **Underweight**.")]);
    let read = firm(&llm).run(before_the_end.clone(), &Witness::default()).await.unwrap();
    let outcome = read.outcome.unwrap();
    assert_eq!((outcome.rating, outcome.source), (Rating::Underweight, DecisionSource::Text));

    llm.will([Trouble::Says("No."), Trouble::Says("It depends on whether you buy or sell.")]);
    let unread = firm(&llm).run(before_the_end, &Witness::default()).await.unwrap();
    assert_eq!(unread.outcome.unwrap().rating, Rating::Review);
    assert!(unread.warnings.iter().any(|warning| warning.contains("no rating could be read")), "{:?}", unread.warnings);
}

#[tokio::test]
async fn a_repair_that_fails_leaves_the_text_that_was_there() {
    let llm = FakeLlm::start().await;
    let brief = Brief { analysts: vec![Analyst::News], ..brief() };
    let before_the_end = Analysis { outcome: None, ..analyse(&llm, brief, &Witness::default()).await.unwrap() };
    for failure in [
        Trouble::Status(400, json!({"error": "format is not supported"}), ""),
        Trouble::Status(404, json!({"error": "model not found"}), ""),
        Trouble::Status(429, json!({"error": "slow down"}), "120"),
    ] {
        llm.will([Trouble::Says("My final rating: **Underweight**."), failure]);
        let read = firm(&llm).run(before_the_end.clone(), &Witness::default()).await.unwrap();
        let outcome = read.outcome.unwrap();
        assert_eq!((outcome.rating, outcome.source), (Rating::Underweight, DecisionSource::Text));
        assert_eq!(outcome.text, "My final rating: **Underweight**.");
        let warning = read.warnings.last().unwrap();
        assert!(warning.contains("the repair failed: Ollama"), "{warning}");
        let said = serde_json::to_value(read.steps.last().unwrap().messages.last()).unwrap();
        assert_eq!(said["content"], outcome.text, "the answer comes last");
    }
}

#[tokio::test]
async fn an_answer_that_was_cut_off_is_told_in_the_result() {
    let llm = FakeLlm::start().await;
    llm.will([Trouble::RunsOut("The evidence is mi"), Trouble::RunsOut("The evidence is mi")]);
    let brief = Brief { analysts: vec![Analyst::News], ..brief() };
    let analysis = analyse(&llm, brief.clone(), &Witness::default()).await.unwrap();
    let told = |analysis: &Analysis| analysis.warnings.iter().filter(|it| it.contains("ran out of tokens")).count();
    assert_eq!(told(&analysis), 1, "{:?}", analysis.warnings);
    assert_eq!(analysis.steps.iter().map(|step| step.cut_off).collect::<Vec<_>>()[..2], [true, false]);

    // An answer that is whole when it is asked for again needs no warning.
    llm.will([Trouble::RunsOut(r#"{"rating": "Sell", "executive_sum"#)]);
    let repaired = firm(&llm).run(Analysis { outcome: None, ..analysis }, &Witness::default()).await.unwrap();
    assert_eq!((repaired.outcome.as_ref().unwrap().source, told(&repaired)), (DecisionSource::Structured, 1));
}

#[tokio::test]
async fn a_server_that_takes_no_schemas_is_asked_in_words() {
    let llm = FakeLlm::start().await;
    let refusal = Trouble::Status(400, json!({"error": "format is not supported"}), "");
    let analysis =
        analyse(&llm, Brief { analysts: vec![Analyst::News], ..brief() }, &Witness::default()).await.unwrap();
    llm.will([refusal, Trouble::Says("Rating: Sell")]);
    let decided = firm(&llm).run(Analysis { outcome: None, ..analysis }, &Witness::default()).await.unwrap();
    let outcome = decided.outcome.unwrap();
    assert_eq!(outcome.rating, Rating::Buy, "the repair asks for the form again, and gets it");
    assert_eq!(outcome.source, DecisionSource::Repaired);
}

#[tokio::test]
async fn nothing_after_the_analysis_date_reaches_an_agent() {
    let llm = FakeLlm::start().await;
    let call = r#"{"name": "get_stock_data", "arguments": {"start_date": "2012-09-01", "end_date": "2013-03-01"}}"#;
    llm.will([Trouble::Says(call)]);
    let witness = Witness::default();
    analyse(&llm, Brief { analysts: vec![Analyst::Market], ..brief() }, &witness).await.unwrap();
    let said = llm.requests().iter().map(|request| request.body.to_string()).collect::<String>();
    for later in ["2012-09-20,", "2012-10-", "2012-11-"] {
        assert!(!said.contains(later), "{later}");
    }
    assert!(said.contains("2012-09-19,"));
}

#[tokio::test]
async fn reports_are_asked_for_in_the_language_of_the_job() {
    let llm = FakeLlm::start().await;
    let brief = Brief { analysts: vec![Analyst::News], output_language: "German".into(), ..brief() };
    analyse(&llm, brief, &Witness::default()).await.unwrap();
    assert!(llm.requests().iter().all(|request| request.body.to_string().contains("Write in German.")));
}
