//! The provider table: one row for each provider. A service that speaks Chat Completions needs nothing else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EffortField, KeyHeader, Quirks, Service};

/// Makes [`Provider`] of the rows.
macro_rules! providers {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal { $($row:tt)* })*) => {
        /// Who serves the language models.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Provider {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Provider {
            /// All providers, in the order of the table.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];
            /// Their names in configuration, in the same order.
            pub const NAMES: [&'static str; Self::ALL.len()] = [$($name),*];

            /// The name in configuration.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The row of the table.
            pub fn service(self) -> &'static Service {
                match self { $(Self::$variant => { const ROW: Service = Service { $($row)* }; &ROW })* }
            }
        }
    };
}

providers! {
    /// A local Ollama server or ollama.com, by Ollama's native API.
    Ollama "ollama" {
        name: "Ollama",
        url: None,
        path: "/",
        key: "OLLAMA_API_KEY",
        key_required: false,
        keys_at: Some("https://ollama.com/settings/keys"),
        unreachable: "start it with `ollama serve` or set OLLAMA_BASE_URL",
        room: "raise OLLAMA_NUM_CTX, or use a model that thinks less",
        ..HOSTED
    }
    /// OpenAI.
    OpenAi "openai" {
        name: "OpenAI",
        url: Some("https://api.openai.com"),
        key: "OPENAI_API_KEY",
        keys_at: Some("https://platform.openai.com/api-keys"),
        ..HOSTED
    }
    /// Anthropic's Messages API.
    Anthropic "anthropic" {
        name: "Anthropic",
        url: Some("https://api.anthropic.com"),
        key: "ANTHROPIC_API_KEY",
        keys_at: Some("https://console.anthropic.com/settings/keys"),
        key_header: KeyHeader::Named("x-api-key"),
        // The only version of the API so far; requests without it are refused.
        headers: &[("anthropic-version", "2023-06-01")],
        ..HOSTED
    }
    /// Google's Gemini API.
    Google "google" {
        name: "Google",
        url: Some("https://generativelanguage.googleapis.com"),
        path: "/v1beta",
        key: "GOOGLE_API_KEY",
        keys_at: Some("https://aistudio.google.com/apikey"),
        key_header: KeyHeader::Named("x-goog-api-key"),
        ..HOSTED
    }
    /// xAI's Grok.
    Xai "xai" {
        name: "xAI",
        url: Some("https://api.x.ai"),
        key: "XAI_API_KEY",
        keys_at: Some("https://console.x.ai"),
        ..HOSTED
    }
    /// A gateway to the models of many services.
    OpenRouter "openrouter" {
        name: "OpenRouter",
        url: Some("https://openrouter.ai"),
        path: "/api/v1",
        key: "OPENROUTER_API_KEY",
        keys_at: Some("https://openrouter.ai/keys"),
        quirks: Quirks { effort: EffortField::Nested, ..Quirks::NONE },
        ..HOSTED
    }
    /// `DeepSeek`'s own service.
    DeepSeek "deepseek" {
        name: "DeepSeek",
        url: Some("https://api.deepseek.com"),
        key: "DEEPSEEK_API_KEY",
        keys_at: Some("https://platform.deepseek.com/api_keys"),
        quirks: Quirks { effort: EffortField::None, ..Quirks::NONE },
        ..HOSTED
    }
    /// Open models on Groq's chips.
    Groq "groq" {
        name: "Groq",
        url: Some("https://api.groq.com"),
        path: "/openai/v1",
        key: "GROQ_API_KEY",
        keys_at: Some("https://console.groq.com/keys"),
        ..HOSTED
    }
    /// Mistral's own service.
    Mistral "mistral" {
        name: "Mistral",
        url: Some("https://api.mistral.ai"),
        key: "MISTRAL_API_KEY",
        keys_at: Some("https://console.mistral.ai/api-keys"),
        quirks: Quirks { effort: EffortField::None, no_user_after_tool: true, ..Quirks::NONE },
        ..HOSTED
    }
    /// Alibaba's Qwen, at `DashScope`'s international endpoint.
    Qwen "qwen" {
        name: "DashScope",
        url: Some("https://dashscope-intl.aliyuncs.com"),
        path: "/compatible-mode/v1",
        key: "DASHSCOPE_API_KEY",
        keys_at: Some("https://modelstudio.console.alibabacloud.com"),
        quirks: QWEN,
        ..HOSTED
    }
    /// Alibaba's Qwen, at `DashScope`'s endpoint in China.
    QwenCn "qwen_cn" {
        name: "DashScope China",
        url: Some("https://dashscope.aliyuncs.com"),
        path: "/compatible-mode/v1",
        key: "DASHSCOPE_CN_API_KEY",
        keys_at: Some("https://bailian.console.aliyun.com"),
        quirks: QWEN,
        ..HOSTED
    }
    /// Zhipu's GLM, at Z.ai.
    Glm "glm" {
        name: "Z.ai",
        url: Some("https://api.z.ai"),
        path: "/api/paas/v4",
        key: "ZHIPU_API_KEY",
        keys_at: Some("https://z.ai/manage-apikey/apikey-list"),
        quirks: Quirks { effort: EffortField::None, ..Quirks::NONE },
        ..HOSTED
    }
    /// Zhipu's GLM, at `BigModel` in China.
    GlmCn "glm_cn" {
        name: "BigModel",
        url: Some("https://open.bigmodel.cn"),
        path: "/api/paas/v4",
        key: "ZHIPU_CN_API_KEY",
        keys_at: Some("https://open.bigmodel.cn/usercenter/apikeys"),
        quirks: Quirks { effort: EffortField::None, ..Quirks::NONE },
        ..HOSTED
    }
    /// Moonshot AI's Kimi.
    Moonshot "moonshot" {
        name: "Moonshot",
        url: Some("https://api.moonshot.ai"),
        key: "MOONSHOT_API_KEY",
        keys_at: Some("https://platform.moonshot.ai/console/api-keys"),
        ..HOSTED
    }
    /// `MiniMax`'s international endpoint.
    MiniMax "minimax" {
        name: "MiniMax",
        url: Some("https://api.minimax.io"),
        key: "MINIMAX_API_KEY",
        keys_at: Some("https://platform.minimax.io"),
        quirks: MINIMAX,
        ..HOSTED
    }
    /// `MiniMax`'s endpoint in China.
    MiniMaxCn "minimax_cn" {
        name: "MiniMax China",
        url: Some("https://api.minimaxi.com"),
        key: "MINIMAX_CN_API_KEY",
        keys_at: Some("https://platform.minimaxi.com"),
        quirks: MINIMAX,
        ..HOSTED
    }
    /// Open models at NVIDIA's API catalog (NIM).
    Nvidia "nvidia" {
        name: "NVIDIA",
        url: Some("https://integrate.api.nvidia.com"),
        key: "NVIDIA_API_KEY",
        keys_at: Some("https://build.nvidia.com/settings/api-keys"),
        ..HOSTED
    }
    /// Hugging Face's router to open models at many hosts.
    HuggingFace "huggingface" {
        name: "Hugging Face",
        url: Some("https://router.huggingface.co"),
        key: "HF_TOKEN",
        keys_at: Some("https://huggingface.co/settings/tokens"),
        ..HOSTED
    }
    /// Open models on Cerebras's chips.
    Cerebras "cerebras" {
        name: "Cerebras",
        url: Some("https://api.cerebras.ai"),
        key: "CEREBRAS_API_KEY",
        keys_at: Some("https://cloud.cerebras.ai"),
        ..HOSTED
    }
    /// Open models at Together AI.
    Together "together" {
        name: "Together AI",
        url: Some("https://api.together.xyz"),
        key: "TOGETHER_API_KEY",
        keys_at: Some("https://api.together.ai/settings/api-keys"),
        ..HOSTED
    }
    /// OpenAI's models at Microsoft Azure; a model's name is that of its deployment.
    Azure "azure" {
        name: "Azure OpenAI",
        url: None,
        path: "/",
        key: "AZURE_OPENAI_API_KEY",
        keys_at: Some("https://portal.azure.com, at the resource's keys"),
        key_header: KeyHeader::Named("api-key"),
        unreachable: "check this host's network and AZURE_OPENAI_ENDPOINT",
        ..HOSTED
    }
    /// Models of many makers at Amazon Bedrock, by its Converse API; a model's name is its id, an inference profile or an ARN.
    Bedrock "bedrock" {
        name: "Amazon Bedrock",
        // There is one address in each region.
        url: None,
        path: "/",
        key: "AWS_BEARER_TOKEN_BEDROCK",
        keys_at: Some("https://console.aws.amazon.com/bedrock/home#/api-keys"),
        unreachable: "check this host's network and BEDROCK_REGION",
        ..HOSTED
    }
    /// Any server that speaks Chat Completions; `backend_url` says where.
    OpenAiCompatible "openai_compatible" {
        name: "the OpenAI-compatible server",
        key: "OPENAI_COMPATIBLE_API_KEY",
        key_required: false,
        unreachable: "start it, or set LLM_BACKEND_URL",
        room: "give it a larger context, or use a model that thinks less",
        ..HOSTED
    }
    /// No language model: published rules. Never chosen silently.
    Rules "rules" {
        name: "the rules",
        key_required: false,
        ..HOSTED
    }
}

/// The columns that most services have in common: on the internet, with a key.
const HOSTED: Service = Service {
    name: "",
    url: None,
    path: "/v1",
    key: "",
    key_required: true,
    keys_at: None,
    key_header: KeyHeader::Bearer,
    headers: &[],
    unreachable: "check this host's network, or set LLM_BACKEND_URL",
    room: "use a model that thinks less",
    quirks: Quirks::NONE,
};

const QWEN: Quirks = Quirks { effort: EffortField::None, enable_thinking: true, ..Quirks::NONE };
const MINIMAX: Quirks = Quirks { effort: EffortField::None, reasoning_split: true, ..Quirks::NONE };
