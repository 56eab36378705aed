namespace GardenApp.Database;

/// <summary>A request needs the database, and DATABASE_URL is not set. Caught by <see cref="DatabaseExceptionHandler"/>.</summary>
public sealed class DatabaseNotConfiguredException : Exception
{
    public DatabaseNotConfiguredException() : base("DATABASE_URL is not set.")
    {
    }
}
