//! Providers of models: two in one job, keys that go to their own server alone, and names that are refused.

use serde_json::{Value, json};

use crate::support::{
    llm::{FakeLlm, Trouble},
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

    // No model would be asked at this URL.
    config["deep_think_provider"] = json!("ollama");
    let body = json!({"ticker": "AAPL", "date": "2012-09-19", "config": config});
    let answer = service.http.post(format!("{}/jobs", service.url)).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 422);
    assert!(answer.text().await.unwrap().contains("config.backend_url"));
}

#[tokio::test]
async fn doctor_fails_if_a_model_is_missing_and_names_the_setting() {
    let (main, ollama) = (FakeLlm::start().await, FakeLlm::start().await);
    // The fake's list of models has `fake` alone.
    for (provider, path, key) in [("openai", "/v1", "OPENAI_API_KEY"), ("google", "/v1beta", "GOOGLE_API_KEY")] {
        let sandbox = Sandbox::new()
            .set("LLM_PROVIDER", provider)
            .set("LLM_BACKEND_URL", format!("{}{path}", main.url()))
            .set(key, "key-of-main");
        let (code, models) = doctor(&sandbox).await;
        assert_ne!(code, Some(0));
        assert_eq!(models["verdict"], "broken", "{models}");
        let text = models["text"].as_str().unwrap();
        for setting in ["DEEP_THINK_LLM", "QUICK_THINK_LLM"] {
            assert!(text.contains(&format!("set {setting} to a model that it has")), "{text}");
        }
    }
    // Each tier is asked for at its own provider.
    let sandbox = two_servers(&main, &ollama)
        .set("DEEP_THINK_LLM", "fake")
        .set("QUICK_THINK_LLM", "qwen3:8b")
        .set("QUICK_THINK_PROVIDER", "ollama");
    assert_eq!(doctor(&sandbox).await.1["verdict"], "ok");
    let sandbox = sandbox.set("DEEP_THINK_LLM", "gone");
    let models = doctor(&sandbox).await.1;
    assert_eq!(models["verdict"], "broken");
    assert!(!models["text"].as_str().unwrap().contains("QUICK_THINK_LLM"), "{models}");
}

/// The exit code of `doctor`, and its verdict on models.
async fn doctor(sandbox: &Sandbox) -> (Option<i32>, Value) {
    let run = sandbox.run(&["doctor", "--json"]).await;
    let mut report: Value = serde_json::from_str(&run.stdout).unwrap();
    (run.code, report["checks"]["models"].take())
}

/// The result of an `analyze --json`, which is the last of its lines.
fn result(run: &Run) -> Value {
    let last = run.stdout.lines().last().unwrap_or_else(|| panic!("{run:?}"));
    serde_json::from_str(last).unwrap()
}

#[tokio::test]
async fn costs_show_without_a_setting_and_say_which_prices_they_follow() {
    let main = FakeLlm::start().await;
    let sandbox = Sandbox::new()
        .set("PRICE_VENDORS", "sample")
        .set("LLM_PROVIDER", "openrouter")
        .set("LLM_BACKEND_URL", format!("{}/v1", main.url()))
        .set("DEEP_THINK_LLM", "openai/gpt-5.5")
        .set("QUICK_THINK_LLM", "anthropic/claude-sonnet-5");
    let known = result(&analyze(&sandbox, &["--json"]).await);
    assert!(known["usage"]["cost_usd"].as_f64().unwrap() > 0.0);
    assert!(known["prices"].as_str().unwrap().starts_with("prices of 20"), "{}", known["prices"]);

    let sandbox = sandbox.set("LLM_PRICES", "openrouter/openai/gpt-5.5=1:1,openrouter/anthropic/claude-sonnet-5=1:1");
    let set = result(&analyze(&sandbox, &["--json"]).await);
    assert_eq!(set["prices"], "prices of LLM_PRICES");
    assert_ne!(set["usage"]["cost_usd"], known["usage"]["cost_usd"]);
}

#[tokio::test]
async fn a_retired_model_is_named_with_its_successor_while_it_still_answers() {
    let main = FakeLlm::start().await;
    let sandbox = Sandbox::new()
        .set("PRICE_VENDORS", "sample")
        .set("LLM_PROVIDER", "deepseek")
        .set("LLM_BACKEND_URL", format!("{}/v1", main.url()));
    let run = analyze(&sandbox, &["--json", "--quick-model", "deepseek-chat"]).await;
    let warnings = result(&run)["warnings"].to_string();
    assert!(warnings.contains("deepseek-chat") && warnings.contains("use deepseek-v4-flash"), "{warnings}");
}

#[tokio::test]
async fn a_model_that_the_server_no_longer_knows_is_named_with_its_successor() {
    let main = FakeLlm::start().await;
    let refusal = json!({"error": {"message": "The model `grok-4` does not exist", "code": "model_not_found"}});
    main.will(std::iter::repeat_n(Trouble::Status(404, refusal, ""), 20));
    let sandbox = Sandbox::new()
        .set("PRICE_VENDORS", "sample")
        .set("LLM_PROVIDER", "xai")
        .set("LLM_BACKEND_URL", format!("{}/v1", main.url()));
    let run = analyze(&sandbox, &["--quick-model", "grok-4"]).await;
    assert_ne!(run.code, Some(0));
    assert!(format!("{run:?}").contains("use grok-4.3"), "{run:?}");
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused_at_the_edge() {
    let sandbox = Sandbox::new()
        .set("API_LISTEN", "127.0.0.1:0")
        .set("LLM_PROVIDER", "ollama")
        .set("OLLAMA_BASE_URL", "http://127.0.0.1:9")
        .set("OLLAMA_REGISTRIES", "hf.co");
    let server = sandbox.start(&["serve"]);
    let service = Service::at(&server.url().await);
    let answer = async |field: &str, model: &str| {
        let body = json!({"ticker": "AAPL", "date": "2012-09-19", "config": {field: model}});
        let answer = service.http.post(format!("{}/jobs", service.url)).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for field in ["deep_think_llm", "quick_think_llm"] {
        for model in ["../x", "a?b", "a#b", "a%2fb", "/x", r"a\b"] {
            let (status, problem) = answer(field, model).await;
            assert_eq!(status, 422, "{model}");
            assert!(problem.contains(&format!("config.{field}")), "{problem}");
        }
        for model in ["evil.example/ns/model:tag", "127.0.0.1:6379/x/y:z"] {
            let (status, problem) = answer(field, model).await;
            assert_eq!(status, 422, "{model}");
            assert!(problem.contains("OLLAMA_REGISTRIES"), "{problem}");
        }
        assert_eq!(answer(field, "hf.co/org/model:Q4").await.0, 202);
    }
}
