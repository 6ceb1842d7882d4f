import betterauth.model.SignInEmailRequest;
import betterauth.model.SignUpWithEmailAndPasswordRequest;
import betterauth.model.TwoFactorEnablePostRequest;
import betterauth.model.TwoFactorSendOtpPostRequest;
import betterauth.model.TwoFactorVerifyBackupCodePostRequest;
import betterauth.model.TwoFactorVerifyOtpPostRequest;
import fusionauth.model.LoginRequest;
import fusionauth.model.TwoFactorLoginRequest;
import fusionauth.model.TwoFactorMethodName;
import fusionauth.model.TwoFactorRequest;
import fusionauth.model.TwoFactorSendRequest;
import fusionauth.model.UserFields;
import fusionauth.model.UserRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Accounts of both dialects get a second factor and sign in with it, by the clients that openapi-generator makes.
 *
 * <p>usage: Journey URL API_KEY OUTBOX
 */
public class Journey {
  private static final String PASSWORD = "correct horse battery staple";

  public static void main(String[] arguments) throws Exception {
    betterAuth(arguments[0] + "/api/auth", arguments[2]);
    fusionAuth(arguments[0], arguments[1], arguments[2]);
    System.out.println("done");
  }

  private static void require(boolean claim, String what) {
    if (!claim) throw new AssertionError(what);
  }

  /** The code in the newest message to an address. */
  private static String mailedCode(String outbox, String address) throws Exception {
    String code = null;
    for (String line : Files.readAllLines(Path.of(outbox))) {
      Matcher matcher = Pattern.compile("\"code\":\"([^\"]*)\"").matcher(line);
      if (line.contains("\"to\":\"" + address + "\"") && matcher.find()) code = matcher.group(1);
    }
    require(code != null, "nothing was mailed to " + address);
    return code;
  }

  private static betterauth.ApiClient betterAuthClient(String url, String token) {
    betterauth.ApiClient client = new betterauth.ApiClient();
    client.updateBaseUri(url);
    if (token != null) client.setRequestInterceptor(request -> request.header("authorization", "Bearer " + token));
    return client;
  }

  private static betterauth.api.DefaultApi accounts(String url, String token) {
    return new betterauth.api.DefaultApi(betterAuthClient(url, token));
  }

  private static betterauth.api.TwoFactorApi factors(String url, String token) {
    return new betterauth.api.TwoFactorApi(betterAuthClient(url, token));
  }

  private static void betterAuth(String url, String outbox) throws Exception {
    String email = "ada@example.com";
    var signedUp = accounts(url, null).signUpWithEmailAndPassword(new SignUpWithEmailAndPasswordRequest().name("Ada").email(email).password(PASSWORD));
    require(signedUp.getUser().getEmail().equals(email), "not the user: " + signedUp);

    var session = factors(url, signedUp.getToken());
    var enabled = session.twoFactorEnablePost(new TwoFactorEnablePostRequest().password(PASSWORD));
    // Without a body the client sends null, which is not what the operation takes.
    session.twoFactorSendOtpPost(new TwoFactorSendOtpPostRequest());
    var confirmed = session.twoFactorVerifyOtpPost(new TwoFactorVerifyOtpPostRequest().code(mailedCode(outbox, email)));
    require(confirmed.getUser().getTwoFactorEnabled(), "the second factor is off: " + confirmed);

    var challenge = accounts(url, null).signInEmail(new SignInEmailRequest().email(email).password(PASSWORD));
    require(challenge.getTwoFactorRedirect(), "no challenge: " + challenge);
    String token = challenge.getTwoFactorToken();
    try {
      accounts(url, token).listUserSessions();
      throw new AssertionError("a challenge lists sessions");
    } catch (betterauth.ApiException refusal) {
      require(refusal.getCode() == 401, "" + refusal);
    }
    var code = new TwoFactorVerifyBackupCodePostRequest().code(enabled.getBackupCodes().get(0));
    var signedIn = factors(url, token).twoFactorVerifyBackupCodePost(code);
    var shown = accounts(url, signedIn.getToken()).getSession(null, null);
    require(shown.getUser().getId().equals(signedUp.getUser().getId()), "not the user: " + shown);
    require(accounts(url, null).getSession(null, null) == null, "somebody is signed in");
  }

  private static fusionauth.ApiClient fusionAuthClient(String url, String key) {
    fusionauth.ApiClient client = new fusionauth.ApiClient();
    client.updateBaseUri(url);
    if (key != null) client.setRequestInterceptor(request -> request.header("authorization", key));
    return client;
  }

  private static void fusionAuth(String url, String key, String outbox) throws Exception {
    String email = "grace@example.com";
    fusionauth.ApiClient service = fusionAuthClient(url, key);
    var twoFactor = new fusionauth.api.TwoFactorApi(service);
    var fields = new UserFields().email(email).password(PASSWORD);
    String id = new fusionauth.api.UsersApi(service).createUser(null, new UserRequest().user(fields)).getUser().getId();

    twoFactor.sendTwoFactorCodeForEnableDisable(null, new TwoFactorSendRequest().userId(id).method("email").email(email));
    var method = new TwoFactorRequest().method("email").email(email).code(mailedCode(outbox, email));
    var enabled = new fusionauth.api.MethodsApi(service).enableTwoFactor(id, null, method);
    require(enabled.getRecoveryCodes().size() == 10, "not ten recovery codes: " + enabled);

    var login = new LoginRequest().loginId(email).password(PASSWORD);
    var challenge = new fusionauth.api.LoginApi(service).loginWithHttpInfo(null, login);
    require(challenge.getStatusCode() == 242, "status " + challenge.getStatusCode());
    String twoFactorId = challenge.getData().getTwoFactorId();
    var chosen = challenge.getData().getMethods().get(0);
    require(chosen.getMethod() == TwoFactorMethodName.EMAIL, "another method: " + chosen);

    // Completing a login takes no key: the challenge is the credential.
    var user = new fusionauth.api.TwoFactorApi(fusionAuthClient(url, null));
    user.sendTwoFactorCodeForLoginUsingMethod(twoFactorId, null, new TwoFactorSendRequest().methodId(chosen.getId()));
    try {
      user.twoFactorLogin(null, new TwoFactorLoginRequest().twoFactorId(twoFactorId).code("no code"));
      throw new AssertionError("a wrong code is right");
    } catch (fusionauth.ApiException refusal) {
      require(refusal.getCode() == 421, "" + refusal);
    }
    var done = user.twoFactorLogin(null, new TwoFactorLoginRequest().twoFactorId(twoFactorId).code(mailedCode(outbox, email)));
    require(done.getUser().getId().equals(id), "not the user: " + done);
  }
}
