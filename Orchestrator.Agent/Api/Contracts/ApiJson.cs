using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Agent.Webhooks;

namespace Orchestrator.Agent.Api.Contracts;

/// <summary>How the contracts are written: camelCase, nothing left out, generated beforehand so that the command line starts quickly.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(ApplyRequest))]
[JsonSerializable(typeof(PlanRequest))]
[JsonSerializable(typeof(DeployRequest))]
[JsonSerializable(typeof(RollbackRequest))]
[JsonSerializable(typeof(MaintenanceRequest))]
[JsonSerializable(typeof(PauseRequest))]
[JsonSerializable(typeof(BackupsResponse))]
[JsonSerializable(typeof(BackupResponse))]
[JsonSerializable(typeof(BackupKeysResponse))]
[JsonSerializable(typeof(AddBackupKeyRequest))]
[JsonSerializable(typeof(NewBackupKeyResponse))]
[JsonSerializable(typeof(OperationResponse[]))]
[JsonSerializable(typeof(RestoreRequest))]
[JsonSerializable(typeof(RecoverRequest))]
[JsonSerializable(typeof(MakeBackupRequest))]
[JsonSerializable(typeof(RetentionResponse))]
[JsonSerializable(typeof(ExportRequest))]
[JsonSerializable(typeof(RestorePreviewResponse))]
[JsonSerializable(typeof(RestoreResponse[]))]
[JsonSerializable(typeof(DrillResponse[]))]
[JsonSerializable(typeof(WebhookRequest))]
[JsonSerializable(typeof(WebhookResponse))]
[JsonSerializable(typeof(CreateTokenRequest))]
[JsonSerializable(typeof(CreatedTokenResponse))]
[JsonSerializable(typeof(TokenResponse[]))]
[JsonSerializable(typeof(SetSecretRequest))]
[JsonSerializable(typeof(SecretResponse[]))]
[JsonSerializable(typeof(DeploymentResponse[]))]
[JsonSerializable(typeof(DeploymentEventResponse))]
[JsonSerializable(typeof(PlanResponse))]
[JsonSerializable(typeof(StackResponse[]))]
[JsonSerializable(typeof(ReleaseResponse[]))]
[JsonSerializable(typeof(LogLineResponse[]))]
[JsonSerializable(typeof(LogLevelsRequest))]
[JsonSerializable(typeof(LogLevelsResponse))]
[JsonSerializable(typeof(AuditEntryResponse[]))]
[JsonSerializable(typeof(DoctorResponse))]
[JsonSerializable(typeof(RepairRequest))]
[JsonSerializable(typeof(RepairResponse))]
[JsonSerializable(typeof(VersionResponse))]
[JsonSerializable(typeof(ProblemResponse))]
[JsonSerializable(typeof(FileCheckResponse))]
[JsonSerializable(typeof(HistoryResponse))]
[JsonSerializable(typeof(WebhookReply))]
[JsonSerializable(typeof(DoneResponse))]
[JsonSerializable(typeof(VersionReport))]
[JsonSerializable(typeof(InstallResponse))]
[JsonSerializable(typeof(UpgradeResponse))]
internal sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>For people and scripts: indented, with letters and quotes as they are. Never into a page.</summary>
    public static ApiJson Readable { get; } = new(new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
