using System.CommandLine;
using System.Security.Cryptography;
using Orchestrator.Agent.Api.Contracts;
using Orchestrator.Agent.Cli.Output;
using Orchestrator.Stacks.Values;

namespace Orchestrator.Agent.Cli.Verbs;

/// <summary><c>token</c> and <c>secret</c>.</summary>
internal static class AccessVerbs
{
    private static readonly Argument<string?> TokenName = new("NAME") { Description = "Who will use it; stands in the audit log.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> TokenNameOption = new("--name") { Description = "The same as NAME.", HelpName = "NAME" };
    private static readonly Option<string> Scope = Scopes();
    private static readonly Option<string?> OnlyStack = new("--stack") { Description = "Good only for this stack.", HelpName = "STACK" };
    private static readonly Option<string?> Expires = new("--expires") { Description = "How long it is good for, e.g. 90d or 12h; left out: for ever.", HelpName = "DURATION" };
    private static readonly Argument<string> Revoked = new("NAME") { Description = "The token's name." };
    private static readonly Argument<string> Stack = new("STACK") { Description = "The stack's name." };
    private static readonly Argument<string> SecretName = new("NAME") { Description = "The secret's name, as in the Compose file." };

    public static Command Token(CliHost host)
    {
        var token = new Command("token", "Makes, lists and revokes access tokens.");
        token.Add(Invocation.Verb(
            host,
            "create",
            "Makes a token and shows it this once.",
            command =>
            {
                command.Add(TokenName);
                command.Add(TokenNameOption);
                command.Add(Scope);
                command.Add(OnlyStack);
                command.Add(Expires);
            },
            CreateAsync));
        token.Add(Invocation.Verb(host, "list", "Lists the tokens, without the tokens themselves.", _ => { }, async (call, cancellationToken) =>
        {
            var tokens = await call.Client.GetAsync("tokens", ApiJson.Default.TokenResponseArray, cancellationToken);
            call.Write(tokens, ApiJson.Readable.TokenResponseArray, AccessView.WriteTokens);
            return ExitCodes.Done;
        }));
        token.Add(Invocation.Verb(host, "revoke", "Makes a token worthless, at once.", command => command.Add(Revoked), async (call, cancellationToken) =>
        {
            var id = call.Value(Revoked);
            await call.Client.DoAsync(new HttpRequestMessage(HttpMethod.Delete, $"tokens/{Uri.EscapeDataString(id)}"), cancellationToken);
            call.Write(new DoneResponse(true), ApiJson.Readable.DoneResponse, (text, _) => text.WriteLine($"token {id} is revoked"));
            return ExitCodes.Done;
        }));
        return token;
    }

    public static Command Secret(CliHost host)
    {
        var secret = new Command("secret", "Keeps secrets for Compose files (external: true), encrypted.");
        secret.Add(Invocation.Verb(
            host,
            "set",
            "Stores a secret; its value comes from standard input or is asked for, never from an argument.",
            command =>
            {
                command.Add(Stack);
                command.Add(SecretName);
            },
            SetAsync));
        secret.Add(Invocation.Verb(host, "list", "Lists the secrets of a stack, without their values.", command => command.Add(Stack), async (call, cancellationToken) =>
        {
            var secrets = await call.Client.GetAsync(Path(call), ApiJson.Default.SecretResponseArray, cancellationToken);
            call.Write(secrets, ApiJson.Readable.SecretResponseArray, AccessView.WriteSecrets);
            return ExitCodes.Done;
        }));
        secret.Add(Invocation.Verb(host, "remove", "Gives a secret to no new release.", command =>
        {
            command.Add(Stack);
            command.Add(SecretName);
        }, async (call, cancellationToken) =>
        {
            var name = call.Value(SecretName);
            await call.Client.DoAsync(new HttpRequestMessage(HttpMethod.Delete, $"{Path(call)}/{Uri.EscapeDataString(name)}"), cancellationToken);
            call.Write(new DoneResponse(true), ApiJson.Readable.DoneResponse, (text, _) => text.WriteLine($"secret {name} is removed"));
            return ExitCodes.Done;
        }));
        return secret;
    }

    private static string Path(Invocation call) => $"stacks/{Uri.EscapeDataString(call.Value(Stack))}/secrets";

    private static Option<string> Scopes()
    {
        var scope = new Option<string>("--scope")
        {
            Description = "read: look; deploy: also deploy, roll back, cancel; admin: everything.",
            DefaultValueFactory = _ => "admin",
        };
        scope.AcceptOnlyFromAmong("read", "deploy", "admin");
        return scope;
    }

    private static async Task<int> CreateAsync(Invocation call, CancellationToken cancellationToken)
    {
        var created = await call.Client.SendAsync(
            HttpMethod.Post,
            "tokens",
            new CreateTokenRequest
            {
                Name = call.Optional(TokenName) ?? call.Value(TokenNameOption) ?? $"token-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}",
                Scope = call.Value(Scope) ?? "admin",
                Stack = call.Value(OnlyStack),
                ExpiresIn = call.Value(Expires) is { } expires ? Seconds(expires) : null,
            },
            ApiJson.Default.CreateTokenRequest,
            ApiJson.Default.CreatedTokenResponse,
            cancellationToken);
        call.Write(created, ApiJson.Readable.CreatedTokenResponse, (text, token) =>
        {
            text.WriteLine(token.Token);
            call.Host.Error.WriteLine($"{token.Name}: scope {token.Scope}{(token.Stack is null ? "" : $", only {token.Stack}")}. It is not shown again; use it as BASMALIN_TOKEN.");
        });
        return ExitCodes.Done;
    }

    private static long Seconds(string text)
    {
        var days = text.EndsWith('d') && int.TryParse(text.AsSpan(0, text.Length - 1), out var count) ? TimeSpan.FromDays(count) : (TimeSpan?)null;
        if (days is null && Durations.TryParse(text, out var duration)) days = duration;
        return days is { TotalSeconds: >= 1 } found
            ? (long)found.TotalSeconds
            : throw new CliFailure(ExitCodes.Usage, $"'{text}' is not a duration", null, "write it as 90d, 12h or 30m");
    }

    private static async Task<int> SetAsync(Invocation call, CancellationToken cancellationToken)
    {
        var name = call.Value(SecretName);
        var value = call.Host.ReadSecret?.Invoke($"value of {name}: ") ?? await call.Host.In.ReadToEndAsync(cancellationToken);

        // `echo value | basmalin secret set` means the value, not the line; a value that has to end in a line break can end in two.
        if (value.EndsWith('\n')) value = value[..^(value.EndsWith("\r\n", StringComparison.Ordinal) ? 2 : 1)];
        if (value.Length == 0) throw new CliFailure(ExitCodes.Usage, $"the value of {name} is empty", null, "pipe it in: printf %s \"$VALUE\" | basmalin secret set STACK NAME");

        var secret = await call.Client.SendAsync(
            HttpMethod.Put,
            $"{Path(call)}/{Uri.EscapeDataString(name)}",
            new SetSecretRequest(value),
            ApiJson.Default.SetSecretRequest,
            ApiJson.Default.SecretResponse,
            cancellationToken);
        call.Write(secret, ApiJson.Readable.SecretResponse, (text, found) => text.WriteLine($"secret {found.Name} is stored as version {found.Version}; the next deployment uses it"));
        return ExitCodes.Done;
    }
}
