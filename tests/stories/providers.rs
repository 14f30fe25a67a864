//! Providers of models: two in one job, keys that go to their own server alone, and names that are refused.

use serde_json::json;

use crate::support::{
    llm::FakeLlm,
    program::{Run, Sandbox},
    service::Service,
};

/// A place whose main provider is a server that speaks Chat Completions, and whose Ollama is another one; both have keys.
fn two_servers(main: &FakeLlm, ollama: &FakeLlm) -> Sandbox {
    Sandbox::new()
        .set("PRICE_VENDORS", "sample")
        .set("LLM_PROVIDER", "openai_compatible")
        .set("LLM_BACKEND_URL", format!("{}/v1", main.url()))
        .set("OPENAI_COMPATIBLE_API_KEY", "key-of-main")
        .set("OLLAMA_BASE_URL", ollama.url())
        .set("OLLAMA_API_KEY", "key-of-ollama")
}

/// Analyses a day with one analyst.
async fn analyze(sandbox: &Sandbox, options: &[&str]) -> Run {
    let day = ["analyze", "AAPL", "--date", "2012-09-19", "--analysts", "news"];
    sandbox.run(&[&day, options].concat()).await
}

/// The models that a server was asked for, and the keys that it saw, each once.
fn asked(llm: &FakeLlm) -> (Vec<String>, Vec<String>) {
    let requests = llm.requests();
    let models = requests.iter().map(|request| request.body["model"].as_str().unwrap().to_owned());
    let keys = requests.iter().map(|request| {
        request.headers.get("authorization").map(|key| key.to_str().unwrap().to_owned()).unwrap_or_default()
    });
    let once = |mut words: Vec<String>| {
        words.sort();
        words.dedup();
        words
    };
    (once(models.collect()), once(keys.collect()))
}

#[tokio::test]
async fn the_deep_and_the_quick_model_may_be_of_two_providers_each_with_its_own_key() {
    let (main, ollama) = (FakeLlm::start().await, FakeLlm::start().await);
    let sandbox = two_servers(&main, &ollama)
        .set("DEEP_THINK_LLM", "deep")
        .set("QUICK_THINK_PROVIDER", "ollama")
        .set("QUICK_THINK_LLM", "qwen3:8b");
    let run = analyze(&sandbox, &[]).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(asked(&main), (vec!["deep".into()], vec!["Bearer key-of-main".into()]));
    assert_eq!(asked(&ollama), (vec!["qwen3:8b".into()], vec!["Bearer key-of-ollama".into()]));
    assert!(main.requests().len() < ollama.requests().len());
}

#[tokio::test]
async fn a_job_may_name_two_providers_itself() {
    let (main, ollama) = (FakeLlm::start().await, FakeLlm::start().await);
    let sandbox = two_servers(&main, &ollama);
    let options = ["--deep-provider", "ollama", "--deep-model", "qwen3:8b", "--quick-model", "quick"];
    let run = analyze(&sandbox, &options).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(asked(&main).0, ["quick"]);
    assert_eq!(asked(&ollama).0, ["qwen3:8b"]);
}

#[tokio::test]
async fn a_jobs_url_is_that_of_its_main_provider_alone() {
    let (main, ollama, own) = (FakeLlm::start().await, FakeLlm::start().await, FakeLlm::start().await);
    let own_url = format!("{}/v1", own.url());
    let sandbox = two_servers(&main, &ollama).set("ALLOW_PRIVATE_URLS", "true").set("API_LISTEN", "127.0.0.1:0");
    let server = sandbox.start(&["serve"]);
    let service = Service::at(&server.url().await);
    let mut config = json!({
        "selected_analysts": ["news"], "backend_url": own_url, "deep_think_llm": "deep",
        "quick_think_provider": "ollama", "quick_think_llm": "qwen3:8b",
    });
    let id = service.submit("AAPL", "2012-09-19", config.clone()).await;
    assert_eq!(service.ended(&id).await["status"], "completed");
    assert_eq!(main.requests().len(), 0);
    assert_eq!(asked(&own), (vec!["deep".into()], vec![String::new()]));
    assert_eq!(asked(&ollama), (vec!["qwen3:8b".into()], vec!["Bearer key-of-ollama".into()]));

    // Nobody would be asked at this URL.
    config["deep_think_provider"] = json!("ollama");
    let body = json!({"ticker": "AAPL", "date": "2012-09-19", "config": config});
    let answer = service.http.post(format!("{}/jobs", service.url)).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 422);
    assert!(answer.text().await.unwrap().contains("config.backend_url"));
}
