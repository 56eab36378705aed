namespace Orchestrator.Backups.Redis;

/// <summary>What kind of thing went wrong with Redis.</summary>
internal enum RedisFault
{
    Unreachable,

    /// <summary>The connection ended, or went silent.</summary>
    Broken,
    WrongPassword,

    /// <summary>The user lacks a right.</summary>
    NoRight,

    /// <summary>It loads its data, or has no memory or disk for the copy now.</summary>
    NotNow,

    /// <summary>It does not know or do this.</summary>
    Refused,
    Protocol,
}

/// <summary>Redis refuses, or cannot be reached.</summary>
internal sealed class RedisException(RedisFault fault, string message, Exception? inner) : Exception(message, inner)
{
    public RedisFault Fault { get; } = fault;

    public static RedisException Broken(Exception? inner) => new(RedisFault.Broken, $"The connection to Redis ended{(inner is null ? "" : $": {inner.Message}")}", inner);

    public static RedisException Of(string command, RedisReply.Refusal refusal) => new(
        refusal.Message.Split(' ')[0] switch
        {
            "NOAUTH" or "WRONGPASS" => RedisFault.WrongPassword,
            "NOPERM" => RedisFault.NoRight,
            "LOADING" or "NOMASTERLINK" or "MASTERDOWN" or "BUSY" => RedisFault.NotNow,
            _ => RedisFault.Refused,
        },
        $"Redis refused {command}: {refusal.Message}", null);

    /// <summary>What to do about it.</summary>
    public string Hint => Fault switch
    {
        RedisFault.Unreachable => "Is the service running, and does it listen on that port? 'basmalin status' shows it.",
        RedisFault.Broken => "Redis was stopped, or cut the connection (its log says why; a slow reader is cut at client-output-buffer-limit replica).",
        RedisFault.WrongPassword => "Set the password with 'basmalin secret set STACK NAME' and name it in x-basmalin.backup.password_secret; a user other than 'default' in x-basmalin.backup.user.",
        RedisFault.NoRight => "Give the user its rights: ACL SETUSER NAME +psync +replconf +ping +info (and +bgsave +lastsave +config|get where PSYNC cannot be had).",
        RedisFault.NotNow => "Wait until Redis has loaded its data, then run the backup again.",
        RedisFault.Refused => "See what Redis said. It may be too old, or have renamed the command.",
        _ => "Check the port in x-basmalin: something other than Redis may answer there.",
    };
}
