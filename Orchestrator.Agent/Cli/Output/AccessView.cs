using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Cli.Output;

internal static class AccessView
{
    public static void WriteTokens(TextWriter output, TokenResponse[] tokens) =>
        TextTable.Write(output, ["NAME", "SCOPE", "STACK", "CREATED", "EXPIRES", "LAST USED"], tokens.Select(token => new[]
        {
            token.Name,
            token.Scope,
            token.Stack ?? "all",
            $"{token.CreatedAt:u}",
            token.ExpiresAt is { } expires ? $"{expires:u}" : "never",
            token.LastUsedAt is { } used ? $"{used:u}" : "never",
        }));

    public static void WriteSecrets(TextWriter output, SecretResponse[] secrets) =>
        TextTable.Write(output, ["NAME", "VERSION", "CREATED"], secrets.Select(secret => new[] { secret.Name, $"{secret.Version}", $"{secret.CreatedAt:u}" }));
}
