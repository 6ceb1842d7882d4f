// The samples of the published page of FusionAuth's `TwoFactorController`, one function each, call for call.
//
// Values come as arguments; without any, a sample is what the page prints. Status and headers, which the page has as a
// comment, are code, and each branch says at its end what it got.

import type {
  LoginResponse,
  SecretResponse,
  TwoFactorLoginRequest,
  TwoFactorSendRequest,
  TwoFactorStartRequest,
  TwoFactorStartResponse,
  TwoFactorStatusResponse,
} from "./generated/fusionauth/index.js";
import { ApiError, type ApiResponse, type RequestOptions, type TwoFactorController } from "./fusionauth-apilib.js";

/** The signatures of the page; that the controller has them is checked where it is made. */
export interface Page {
  retrieveTwoFactorStatus(
    twoFactorTrustId: string,
    userId?: string,
    applicationId?: string,
    requestOptions?: RequestOptions
  ): Promise<ApiResponse<TwoFactorStatusResponse>>;
  startTwoFactorLogin(
    body?: TwoFactorStartRequest,
    requestOptions?: RequestOptions
  ): Promise<ApiResponse<TwoFactorStartResponse>>;
  twoFactorLogin(
    body?: TwoFactorLoginRequest,
    requestOptions?: RequestOptions
  ): Promise<ApiResponse<LoginResponse>>;
  sendTwoFactorCodeForEnableDisable(
    body?: TwoFactorSendRequest,
    requestOptions?: RequestOptions
  ): Promise<ApiResponse<void>>;
  generateTwoFactorSecretUsingJWT(
    requestOptions?: RequestOptions
  ): Promise<ApiResponse<SecretResponse>>;
  sendTwoFactorCodeForLoginUsingMethod(
    twoFactorId: string,
    body?: TwoFactorSendRequest,
    requestOptions?: RequestOptions
  ): Promise<ApiResponse<void>>;
}

/** What a sample got: a result, or errors. */
export type Got<T> =
  | { statusCode: number; headers: Record<string, string>; result: T }
  | { statusCode: number; headers: Record<string, string>; errors: unknown };

export async function retrieveTwoFactorStatus(
  twoFactorController: TwoFactorController,
  ...[value = 'twoFactorTrustId0', ...values]: [value?: string, userId?: string, applicationId?: string]
): Promise<Got<TwoFactorStatusResponse>> {
  const twoFactorTrustId = value;

  try {
    const { result, ...httpResponse } = await twoFactorController.retrieveTwoFactorStatus(twoFactorTrustId, ...values);
    // Get more response info...
    const { statusCode, headers } = httpResponse;
    return { statusCode, headers, result };
  } catch (error) {
    if (error instanceof ApiError) {
      const errors = error.result;
      const { statusCode, headers } = error;
      return { statusCode, headers, errors };
    }
    throw error;
  }
}

export async function startTwoFactorLogin(
  twoFactorController: TwoFactorController,
  ...values: [body?: TwoFactorStartRequest]
): Promise<Got<TwoFactorStartResponse>> {
  try {
    const { result, ...httpResponse } = await twoFactorController.startTwoFactorLogin(...values);
    // Get more response info...
    const { statusCode, headers } = httpResponse;
    return { statusCode, headers, result };
  } catch (error) {
    if (error instanceof ApiError) {
      const errors = error.result;
      const { statusCode, headers } = error;
      return { statusCode, headers, errors };
    }
    throw error;
  }
}

export async function twoFactorLogin(
  twoFactorController: TwoFactorController,
  ...values: [body?: TwoFactorLoginRequest]
): Promise<Got<LoginResponse>> {
  try {
    const { result, ...httpResponse } = await twoFactorController.twoFactorLogin(...values);
    // Get more response info...
    const { statusCode, headers } = httpResponse;
    return { statusCode, headers, result };
  } catch (error) {
    if (error instanceof ApiError) {
      const errors = error.result;
      const { statusCode, headers } = error;
      return { statusCode, headers, errors };
    }
    throw error;
  }
}

export async function sendTwoFactorCodeForEnableDisable(
  twoFactorController: TwoFactorController,
  ...values: [body?: TwoFactorSendRequest]
): Promise<Got<void>> {
  try {
    const { result, ...httpResponse } = await twoFactorController.sendTwoFactorCodeForEnableDisable(...values);
    // Get more response info...
    const { statusCode, headers } = httpResponse;
    return { statusCode, headers, result };
  } catch (error) {
    if (error instanceof ApiError) {
      const errors = error.result;
      const { statusCode, headers } = error;
      return { statusCode, headers, errors };
    }
    throw error;
  }
}

export async function generateTwoFactorSecretUsingJWT(
  twoFactorController: TwoFactorController,
): Promise<Got<SecretResponse>> {
  try {
    const { result, ...httpResponse } = await twoFactorController.generateTwoFactorSecretUsingJWT();
    // Get more response info...
    const { statusCode, headers } = httpResponse;
    return { statusCode, headers, result };
  } catch (error) {
    if (error instanceof ApiError) {
      const errors = error.result;
      const { statusCode, headers } = error;
      return { statusCode, headers, errors };
    }
    throw error;
  }
}

export async function sendTwoFactorCodeForLoginUsingMethod(
  twoFactorController: TwoFactorController,
  ...[value = 'twoFactorId2', ...values]: [value?: string, body?: TwoFactorSendRequest]
): Promise<Got<void>> {
  const twoFactorId = value;

  try {
    const { result, ...httpResponse } =
      await twoFactorController.sendTwoFactorCodeForLoginUsingMethod(twoFactorId, ...values);
    // Get more response info...
    const { statusCode, headers } = httpResponse;
    return { statusCode, headers, result };
  } catch (error) {
    if (error instanceof ApiError) {
      const errors = error.result;
      const { statusCode, headers } = error;
      return { statusCode, headers, errors };
    }
    throw error;
  }
}
